import type { Json } from "../../../core/json.js";
import { metricKind } from "../data/case-scores.js";
import { card } from "../elements/card.js";
import { element } from "../elements/element.js";
import { formatPlural } from "../elements/format.js";
import { jsonTree } from "../elements/json-tree.js";
import { table } from "../elements/table.js";
import { metricDecimals, metricTitle } from "./metric-text.js";

type Fields = Readonly<Record<string, unknown>>;

/** What an evaluation says of all cases: every metric of every class with its mean, deviation and interval, what is missing, and the rules. Hidden while there is none. */
export function summaryPanel(): { readonly element: HTMLElement; show(summary: Json): void } {
  const count = element("span", { class: "hint" });
  const body = element("div");
  const root = card("Summary", { beside: count }, body);
  root.hidden = true;
  return {
    element: root,
    show(summary) {
      root.hidden = summary === null;
      if (summary === null) return;
      const all = fieldsOf(summary);
      count.textContent = typeof all.cases === "number" ? `${formatPlural(all.cases, "case")} · mean ± deviation, 95 % interval of the mean` : "";
      body.replaceChildren(...metricRows(fieldsOf(all.classes), Number(all.cases)), ...lostCases(all), everything(summary));
    },
  };
}

function metricRows(classes: Fields, cases: number): readonly HTMLElement[] {
  const names = Object.keys(classes);
  const metrics = [...new Set(names.flatMap((name) => Object.keys(fieldsOf(fieldsOf(classes[name]).metrics))))];
  if (metrics.length === 0) return [];
  const entry = (name: string, metric: string) => fieldsOf(fieldsOf(fieldsOf(classes[name]).metrics)[metric]);
  const rows = metrics.map((metric) => {
    const write = metricDecimals(
      metric,
      names.map((name) => number(entry(name, metric).mean)),
    );
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, metricTitle(metric)),
      names.map((name) => {
        const { mean, std, interval, n } = entry(name, metric);
        const [value, deviation] = [number(mean), number(std)];
        const [low, high] = Array.isArray(interval) ? interval.map(number) : [];
        const isPart = typeof n === "number" && n > 0 && n < cases;
        const notes = [
          low !== undefined && high !== undefined ? `${write(low)} … ${write(high)}` : "",
          isPart ? `of ${formatPlural(n, "case")}` : "",
        ];
        const note = notes.filter(Boolean).join(", ");
        return element(
          "td",
          { class: "right number", "data-label": name },
          value === undefined ? "–" : `${write(value)}${deviation === undefined ? "" : ` ± ${write(deviation)}`}`,
          note === "" ? undefined : element("span", { class: "cell-note" }, note),
        );
      }),
    );
  });
  const heads = ["metric", ...names];
  const direction = metrics.some((metric) => metricKind(metric).isLowerBetter)
    ? [element("p", { class: "hint" }, "Distances and volume errors: lower is better. All others: higher is better.")]
    : [];
  return [table({ heads, numbers: names.map((_, i) => i + 1), caption: "Every metric by class" }, element("tbody", {}, rows)), ...direction];
}

/** Cases without a score must not be overlooked beside those with one. */
function lostCases({ missing, failed }: Fields): readonly HTMLElement[] {
  const lines: HTMLElement[] = [];
  if (Array.isArray(missing) && missing.length > 0) lines.push(element("p", { class: "problem" }, `Not predicted: ${missing.join(", ")}`));
  for (const one of Array.isArray(failed) ? failed : []) {
    const { id, message } = fieldsOf(one);
    lines.push(element("p", { class: "problem" }, `${String(id)} could not be scored: ${String(message)}`));
  }
  return lines;
}

function everything(summary: Json): HTMLElement {
  const { policy } = fieldsOf(summary);
  return element(
    "div",
    { class: "json more" },
    typeof policy === "string"
      ? element("details", {}, element("summary", {}, "How it is counted"), element("p", { class: "hint" }, policy))
      : undefined,
    element("details", {}, element("summary", {}, "All of summary.json"), jsonTree(summary, { open: 0 })),
  );
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
