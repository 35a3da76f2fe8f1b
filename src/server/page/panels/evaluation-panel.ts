import type { Json } from "../../../core/json.js";
import type { Table } from "../../files/parse-tsv.js";
import { drawBoxPlot } from "../charts/box-plot.js";
import { type CaseScores, caseScores, metricKind } from "../data/case-scores.js";
import { element, setText } from "../elements/element.js";
import { formatCount, formatPercent, formatPlural, formatScore, formatValue } from "../elements/format.js";
import { jsonTree } from "../elements/json-tree.js";

/** What an evaluation has written: the scores of every case and class, and their summary. */
export interface Evaluation {
  readonly table: Table | null;
  readonly summary: Json;
}

const MOST_ROWS = 1000;
const TITLES: Readonly<Record<string, string>> = {
  dice: "Dice",
  iou: "IoU",
  sensitivity: "Sensitivity",
  precision: "Precision",
  specificity: "Specificity",
  accuracy: "Accuracy",
  hd: "Hausdorff distance",
  hd95: "HD95",
  assd: "ASSD",
  volume_error: "Volume error, relative",
  volume_error_mm3: "Volume error",
};
const STATE_NOTES: Readonly<Record<string, string>> = {
  both_empty: "absent, as it should be",
  ref_empty: "not in the reference",
  pred_empty: "not found",
};

/** The scores of every case by class, worst first, with their spread and the voxels that were right, too many, and missed. `load` reads them again. */
export function evaluationPanel(ask: () => Promise<Evaluation>): { readonly element: HTMLElement; load(): void; destroy(): void } {
  const empty = element("p", { class: "empty" });
  const choice = element("select", { "aria-label": "Metric", onchange: () => draw() });
  const spread = element("div", { class: "spreads" });
  const voxels = element("div", { class: "spreads" });
  const voxelCard = element(
    "section",
    { class: "card", "aria-label": "Voxels by class" },
    element(
      "div",
      { class: "card-head" },
      element("h3", {}, "Voxels by class, all cases"),
      element(
        "div",
        { class: "state-legend" },
        ["right", "too many", "missed"].map((word, i) => element("span", { class: `key ${["tp", "fp", "fn"][i]}` }, word)),
      ),
    ),
    voxels,
  );
  const table = element("div", { class: "table-scroll" });
  const summary = element("div");
  const count = element("span", { class: "hint" });
  const spreadCard = element(
    "section",
    { class: "card", "aria-label": "Spread of the scores" },
    element(
      "div",
      { class: "card-head" },
      element("h3", {}, "Spread over the cases"),
      element("span", { class: "hint" }, "box: middle half of the cases · number: median"),
    ),
    spread,
  );
  const summaryCard = element("section", { class: "card", "aria-label": "Summary" }, element("h3", {}, "Summary"), summary);
  const content = element(
    "div",
    { class: "stack" },
    element("div", { class: "controls" }, element("label", { class: "select" }, "Metric", choice)),
    spreadCard,
    element(
      "section",
      { class: "card", "aria-label": "Scores per case" },
      element("div", { class: "card-head" }, element("h3", {}, "Cases"), count),
      table,
    ),
    voxelCard,
    summaryCard,
  );
  let read: Evaluation | undefined;
  let scores: CaseScores | undefined;
  let sort: { column: string; isDescending: boolean } | undefined;
  let isClosed = false;

  function load(): void {
    ask().then(
      (answer) => {
        if (isClosed) return;
        read = answer;
        scores = answer.table ? caseScores(answer.table) : undefined;
        const before = choice.value;
        choice.replaceChildren(...(scores?.metrics ?? []).map((name) => element("option", { value: name }, titleOf(name))));
        if (scores?.metrics.includes(before)) choice.value = before;
        draw();
      },
      (error: Error) => {
        empty.hidden = false;
        setText(empty, `The evaluation could not be read: ${error.message}`);
      },
    );
  }

  function draw(): void {
    if (!read) return;
    empty.hidden = read.table !== null || read.summary !== null;
    content.hidden = !empty.hidden;
    setText(empty, "Nothing has been evaluated yet. Scores per case appear here after the evaluation of the run.");
    // Of several folds together there is none.
    summaryCard.hidden = read.summary === null;
    summary.replaceChildren(jsonTree(read.summary));
    choice.parentElement!.hidden = scores === undefined;
    spreadCard.hidden = scores === undefined;
    voxelCard.hidden = scores === undefined;
    if (!scores) {
      setText(count, "");
      table.replaceChildren(read.table ? plainTable(read.table) : element("p", { class: "hint" }, "There is no detailed.tsv."));
      return;
    }
    const metric = choice.value;
    setText(count, `${formatPlural(scores.cases.length, "case")}${scores.cases.length > MOST_ROWS ? `, ${formatCount(MOST_ROWS)} shown` : ""}`);
    spread.replaceChildren(...scores.classes.map((name) => spreadRow(scores!, name, metric)));
    voxels.replaceChildren(...scores.classes.map((name) => voxelRow(scores!, name)));
    table.replaceChildren(scoreTable(scores, metric));
  }

  function scoreTable(all: CaseScores, metric: string): HTMLElement {
    const { isScore, isLowerBetter } = metricKind(metric);
    const columns = all.classes.length > 1 ? [...all.classes, MEAN] : all.classes;
    const cellValue = (id: string, column: string) => (column === MEAN ? all.mean(id, metric) : all.value(id, column, metric));
    const decimals = decimalsFor(
      metric,
      all.cases.flatMap((id) => all.classes.map((name) => all.value(id, name, metric))),
    );
    // Worst first: they are what one should look at.
    const { column, isDescending } =
      sort && (sort.column === CASE || columns.includes(sort.column)) ? sort : { column: columns[columns.length - 1]!, isDescending: isLowerBetter };
    const order = [...all.cases].sort((a, b) => {
      if (column === CASE) return a.localeCompare(b, "en", { numeric: true }) * (isDescending ? -1 : 1);
      const [x, y] = [cellValue(a, column), cellValue(b, column)];
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
            onclick: () => {
              sort = { column: name, isDescending: name === column && !isDescending };
              draw();
            },
          },
          label,
          element("span", { class: "sort-mark", "aria-hidden": "true" }, name === column ? (isDescending ? "↓" : "↑") : ""),
        ),
      );
    const cell = (id: string, name: string) => {
      const value = cellValue(id, name);
      const note = name === MEAN ? undefined : STATE_NOTES[all.state(id, name)];
      const box = element(
        "td",
        { class: "right number", "data-label": name === MEAN ? "mean" : name },
        value === undefined ? "–" : decimals(value),
        note ? element("span", { class: "cell-note" }, note) : undefined,
      );
      if (isScore && value !== undefined) box.dataset.level = value >= 0.9 ? "good" : value >= 0.7 ? "fair" : value >= 0.5 ? "weak" : "bad";
      return box;
    };
    return element(
      "table",
      { class: "responsive" },
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          head(CASE, "case", ""),
          columns.map((name) => head(name, name === MEAN ? "mean" : name, "right")),
        ),
      ),
      element(
        "tbody",
        {},
        order.slice(0, MOST_ROWS).map((id) =>
          element(
            "tr",
            {},
            element("th", { scope: "row" }, id),
            columns.map((name) => cell(id, name)),
          ),
        ),
      ),
    );
  }

  content.hidden = true;
  return { element: element("div", { class: "view" }, empty, content), load, destroy: () => (isClosed = true) };
}

/** Columns that are no class: a class may have any name, but none holds a line break. */
const CASE = "\ncase";
const MEAN = "\nmean";

function spreadRow(scores: CaseScores, name: string, metric: string): HTMLElement {
  const values = scores.cases.map((id) => scores.value(id, name, metric));
  const { isScore, unit } = metricKind(metric);
  const write = decimalsFor(metric, values);
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  const median = sorted.length === 0 ? undefined : (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
  return element(
    "div",
    { class: "spread" },
    element("span", { class: "spread-name" }, name),
    drawBoxPlot(values, isScore ? [0, 1] : undefined, write),
    element("span", { class: "number spread-median" }, median === undefined ? "–" : `${write(median)}${unit ? ` ${unit}` : ""}`),
  );
}

function voxelRow(scores: CaseScores, name: string): HTMLElement {
  const { tp, fp, fn } = scores.counts.get(name)!;
  const total = tp + fp + fn;
  const bar = element("div", {
    class: "shares wide",
    role: "img",
    "aria-label": `right ${formatCount(tp)}, too many ${formatCount(fp)}, missed ${formatCount(fn)} voxels`,
  });
  for (const [kind, value] of Object.entries({ tp, fp, fn })) {
    const part = element("span", { class: `share ${kind}`, title: `${formatCount(value)} voxels` });
    part.style.flexGrow = String(total > 0 ? value / total : 0);
    bar.append(part);
  }
  return element(
    "div",
    { class: "spread counts" },
    element("span", { class: "spread-name" }, name),
    bar,
    element(
      "span",
      { class: "number voxel-counts" },
      `${formatCount(tp)} right (${formatPercent(total > 0 ? tp / total : undefined)}), ${formatCount(fp)} too many, ${formatCount(fn)} missed`,
    ),
  );
}

/** A table of another make, as it stands. */
function plainTable({ columns, rows }: Table): HTMLElement {
  return element(
    "table",
    { class: "responsive" },
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        columns.map((name) => element("th", { scope: "col" }, name)),
      ),
    ),
    element(
      "tbody",
      {},
      rows.slice(0, MOST_ROWS).map((row) =>
        element(
          "tr",
          {},
          row.map((text, i) => element(i === 0 ? "th" : "td", i === 0 ? { scope: "row" } : { "data-label": columns[i] }, text)),
        ),
      ),
    ),
  );
}

/** The same number of decimals in a whole column, so that its points stand below each other. */
function decimalsFor(metric: string, values: readonly (number | undefined)[]): (value: number) => string {
  if (metricKind(metric).isScore) return formatScore;
  const most = Math.max(0, ...values.map((value) => Math.abs(value ?? 0)));
  if (most >= 1000) return formatCount;
  if (most < 0.01) return formatValue;
  return (value) => value.toFixed(most >= 100 ? 1 : most >= 1 ? 2 : 3);
}

function titleOf(metric: string): string {
  const title = TITLES[metric] ?? metric.replace(/^nsd_(.*)mm$/, "NSD at $1 mm");
  const { unit } = metricKind(metric);
  return unit ? `${title}, ${unit}` : title;
}
