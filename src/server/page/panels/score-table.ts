import { type CaseScores, metricKind } from "../data/case-scores.js";
import { element } from "../elements/element.js";
import { table } from "../elements/table.js";
import { metricDecimals } from "./metric-text.js";

/** Columns that are no class: a class may have any name, but none holds a line break. */
const CASE = "\ncase";
const MEAN = "\nmean";
const STATE_NOTES: Readonly<Record<string, string>> = {
  both_empty: "absent, as it should be",
  ref_empty: "not in the reference",
  pred_empty: "not found",
};

export interface ScoreSort {
  readonly column: string;
  readonly isDescending: boolean;
}

export interface ScoreTableOptions {
  readonly metric: string;
  readonly sort: ScoreSort | undefined;
  readonly most: number;
  /** Where a case can be looked at. */
  readonly addressOf: ((id: string) => string | undefined) | undefined;
  onSort(sort: ScoreSort): void;
}

/** One metric of every case by class, sorted by any column; worst first unless told, because those are what one should look at. */
export function scoreTable(scores: CaseScores, { metric, sort, most, addressOf, onSort }: ScoreTableOptions): HTMLElement {
  const { isScore, isLowerBetter } = metricKind(metric);
  const columns = scores.classes.length > 1 ? [...scores.classes, MEAN] : scores.classes;
  const read = (id: string, column: string) => (column === MEAN ? scores.mean(id, metric) : scores.value(id, column, metric));
  const write = metricDecimals(
    metric,
    scores.cases.flatMap((id) => scores.classes.map((name) => scores.value(id, name, metric))),
  );
  const isKnown = sort && (sort.column === CASE || columns.includes(sort.column));
  const { column, isDescending } = isKnown ? sort : { column: columns[columns.length - 1]!, isDescending: isLowerBetter };
  const order = [...scores.cases].sort((a, b) => {
    if (column === CASE) return a.localeCompare(b, "en", { numeric: true }) * (isDescending ? -1 : 1);
    const [x, y] = [read(a, column), read(b, column)];
    if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? 1 : -1;
    return (x - y) * (isDescending ? -1 : 1);
  });
  const head = (name: string, label: string, kind: string) =>
    element(
      "th",
      { scope: "col", class: kind, "aria-sort": name === column ? (isDescending ? "descending" : "ascending") : "none" },
      element(
        "button",
        {
          type: "button",
          class: "sort",
          title: `Sort by ${label}`,
          onclick: () => onSort({ column: name, isDescending: name === column && !isDescending }),
        },
        label,
        element("span", { class: "sort-mark", "aria-hidden": "true" }, name === column ? (isDescending ? "↓" : "↑") : ""),
      ),
    );
  const cell = (id: string, name: string) => {
    const value = read(id, name);
    const note = name === MEAN ? undefined : STATE_NOTES[scores.state(id, name)];
    const box = element(
      "td",
      { class: "right number", "data-label": name === MEAN ? "mean" : name },
      value === undefined ? "–" : write(value),
      note ? element("span", { class: "cell-note" }, note) : undefined,
    );
    if (isScore && value !== undefined) box.dataset.level = value >= 0.9 ? "good" : value >= 0.7 ? "fair" : value >= 0.5 ? "weak" : "bad";
    return box;
  };
  const nameOf = (id: string) => {
    const href = addressOf?.(id);
    return href === undefined ? id : element("a", { href, title: `Look at ${id}` }, id);
  };
  const rows = order.slice(0, most).map((id) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, nameOf(id)),
      columns.map((name) => cell(id, name)),
    ),
  );
  const heads = [head(CASE, "case", ""), ...columns.map((name) => head(name, name === MEAN ? "mean" : name, "right"))];
  return table({ heads, caption: "Scores of every case by class" }, element("tbody", {}, rows));
}
