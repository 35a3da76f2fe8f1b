import type { Json } from "../../../core/json.js";
import type { Table } from "../../parse-tsv.js";
import { getJson, runPath } from "../api-client.js";
import { drawBoxPlot } from "../box-plot.js";
import { element, setText } from "../element.js";
import { formatCount, formatScore, formatValue } from "../format.js";
import { jsonTree } from "../json-tree.js";
import type { LiveRun } from "../live-run.js";
import type { View } from "../view.js";

interface Evaluation {
  readonly table: Table | null;
  readonly summary: Json;
}

interface NumberColumn {
  readonly name: string;
  readonly index: number;
  readonly isScore: boolean;
  readonly isLowerBetter: boolean;
  readonly values: readonly (number | undefined)[];
}

/** The scores of every case, sortable, worst first, with their spread per column. */
export function evaluationView(run: LiveRun): View {
  const empty = element("p", { class: "empty" });
  const spread = element("div", { class: "spreads" });
  const table = element("div", { class: "table-scroll" });
  const summary = element("div");
  const count = element("span", { class: "hint" });
  const content = element(
    "div",
    { class: "stack" },
    element(
      "section",
      { class: "card", "aria-label": "Spread of the scores" },
      element(
        "div",
        { class: "card-head" },
        element("h3", {}, "Spread over the cases"),
        element("span", { class: "hint" }, "box: middle half of the cases · number: median · scores from 0 to 1, all others from 0 to the highest"),
      ),
      spread,
    ),
    element(
      "section",
      { class: "card", "aria-label": "Scores per case" },
      element("div", { class: "card-head" }, element("h3", {}, "Cases"), count),
      table,
    ),
    element("section", { class: "card", "aria-label": "Summary" }, element("h3", {}, "Summary"), summary),
  );
  let seen = "";
  let sort: { index: number; isDescending: boolean } | undefined;
  let isClosed = false;

  function load(): void {
    getJson<Evaluation>(runPath(run.id, "evaluation")).then(
      (answer) => !isClosed && draw(answer),
      (error: Error) => {
        empty.hidden = false;
        setText(empty, `The evaluation could not be read: ${error.message}`);
      },
    );
  }

  function draw({ table: read, summary: json }: Evaluation): void {
    empty.hidden = read !== null || json !== null;
    content.hidden = !empty.hidden;
    setText(empty, "Nothing has been evaluated yet. Scores per case appear here after the evaluation of the run.");
    summary.replaceChildren(json === null ? element("p", { class: "hint" }, "There is no summary.json.") : jsonTree(json));
    if (!read) {
      table.replaceChildren(element("p", { class: "hint" }, "There is no detailed.tsv."));
      spread.replaceChildren();
      return;
    }
    const columns = numberColumns(read);
    setText(count, `${formatCount(read.rows.length)} cases`);
    spread.replaceChildren(
      ...columns.slice(0, 24).map((column) =>
        element(
          "div",
          { class: "spread" },
          element("span", { class: "spread-name" }, spaced(column.name)),
          drawBoxPlot(column.values, column.isScore ? [0, 1] : undefined, (value) => text(column, value)),
          element("span", { class: "number spread-median" }, text(column, median(column.values))),
        ),
      ),
    );
    const worst = columns.find(({ isScore, isLowerBetter }) => isScore && !isLowerBetter && columns.length > 0);
    sort ??= worst ? { index: meanColumnIndex(columns) ?? worst.index, isDescending: false } : { index: 0, isDescending: false };
    table.replaceChildren(drawTable(read, columns));
  }

  function drawTable(read: Table, columns: readonly NumberColumn[]): HTMLElement {
    const byIndex = new Map(columns.map((column) => [column.index, column]));
    const order = read.rows.map((_, i) => i);
    const { index, isDescending } = sort!;
    const numeric = byIndex.get(index);
    order.sort((a, b) => {
      if (!numeric) return read.rows[a]![index]!.localeCompare(read.rows[b]![index]!, "en", { numeric: true }) * (isDescending ? -1 : 1);
      // Cases without a value stand first: they are what one should look at.
      const [x, y] = [numeric.values[a] ?? -Infinity, numeric.values[b] ?? -Infinity];
      return x === y ? 0 : (x < y ? -1 : 1) * (isDescending && Number.isFinite(x) && Number.isFinite(y) ? -1 : 1);
    });
    const head = read.columns.map((name, i) =>
      element(
        "th",
        { scope: "col", class: byIndex.has(i) ? "right" : "", "aria-sort": i === index ? (isDescending ? "descending" : "ascending") : "none" },
        element(
          "button",
          {
            type: "button",
            class: "sort",
            onclick: () => {
              sort = { index: i, isDescending: sort?.index === i && !sort.isDescending };
              table.replaceChildren(drawTable(read, columns));
            },
          },
          spaced(name),
          element("span", { class: "sort-mark", "aria-hidden": "true" }, i === index ? (isDescending ? "↓" : "↑") : ""),
        ),
      ),
    );
    const rows = order.slice(0, 1000).map((row) =>
      element(
        "tr",
        {},
        read.columns.map((name, i) => {
          const column = byIndex.get(i);
          if (!column) return element(i === 0 ? "th" : "td", i === 0 ? { scope: "row" } : { "data-label": name }, read.rows[row]![i]!);
          const value = column.values[row];
          const cell = element("td", { class: "right number", "data-label": spaced(name) }, value === undefined ? "–" : text(column, value));
          if (column.isScore && value !== undefined)
            cell.dataset.level = value >= 0.9 ? "good" : value >= 0.7 ? "fair" : value >= 0.5 ? "weak" : "bad";
          return cell;
        }),
      ),
    );
    return element("table", { class: "responsive" }, element("thead", {}, element("tr", {}, head)), element("tbody", {}, rows));
  }

  function update(): void {
    const { evaluation, predictions, end } = run.record;
    const now = [evaluation?.t, predictions.count, end?.t, run.generation].join(" ");
    if (now === seen) return;
    seen = now;
    load();
  }

  content.hidden = true;
  update();
  return { element: element("div", { class: "view" }, empty, content), update, destroy: () => (isClosed = true) };
}

function numberColumns({ columns, rows }: Table): NumberColumn[] {
  return columns.flatMap((name, index) => {
    if (index === 0) return [];
    const values = rows.map((row) => {
      const cell = row[index]!.trim();
      const value = cell === "" ? Number.NaN : Number(cell);
      return Number.isFinite(value) ? value : undefined;
    });
    const known = values.filter((value) => value !== undefined);
    if (known.length === 0 || known.length < rows.filter((row) => !/^(nan|inf|-inf|infinity|-infinity|)$/i.test(row[index]!.trim())).length)
      return [];
    const isScore = known.every((value) => value >= 0 && value <= 1) && !/hd|assd|distance|volume|error|loss|count|voxel/i.test(name);
    return [{ name, index, isScore, isLowerBetter: !isScore, values }];
  });
}

/** The last class is the rarest in most data sets, and its Dice the first to fail: sort by it. */
function meanColumnIndex(columns: readonly NumberColumn[]): number | undefined {
  const named = columns.filter(({ name, isScore }) => isScore && /dice/i.test(name));
  return (named.find(({ name }) => /mean/i.test(name)) ?? named[named.length - 1])?.index;
}

/** The same number of decimals in a whole column, so that its points stand below each other. */
function text({ isScore, values }: NumberColumn, value: number | undefined): string {
  if (isScore || value === undefined) return formatScore(value);
  const most = Math.max(...values.map((entry) => Math.abs(entry ?? 0)));
  if (most < 0.01 || most >= 1e6) return formatValue(value);
  return values.every((entry) => entry === undefined || Number.isInteger(entry))
    ? formatCount(value)
    : value.toFixed(most >= 100 ? 1 : most >= 1 ? 2 : 3);
}

function median(values: readonly (number | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length === 0 ? undefined : sorted.length % 2 ? sorted[middle] : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function spaced(name: string): string {
  return name.replaceAll("_", " ");
}
