import { type CaseScores, metricKind } from "../data/case-scores.js";
import { element } from "../elements/element.js";
import { formatScore } from "../elements/format.js";

/** What is read first of a case. */
const METRICS = ["dice", "iou", "hd95", "assd"];

/** The scores of one case by class, as a small table; nothing when it has none. */
export function classScores(scores: CaseScores | undefined, id: string): readonly HTMLElement[] {
  if (!scores?.cases.includes(id)) return [];
  const metrics = METRICS.filter((name) => scores.metrics.includes(name));
  if (metrics.length === 0) return [];
  const write = (metric: string, value: number | undefined) =>
    value === undefined ? "–" : metricKind(metric).isScore ? formatScore(value) : `${value.toFixed(2)} ${metricKind(metric).unit}`;
  const head = metrics.map((name) => element("th", { scope: "col", class: "right" }, name));
  const rows = scores.classes.map((name) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      metrics.map((metric) => element("td", { class: "right number" }, write(metric, scores.value(id, name, metric)))),
    ),
  );
  const labels = element("tr", {}, element("th", { scope: "col" }, "class"), head);
  return [element("table", {}, element("thead", {}, labels), element("tbody", {}, rows))];
}
