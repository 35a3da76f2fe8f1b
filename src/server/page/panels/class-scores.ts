import { type CaseScores, metricKind } from "../data/case-scores.js";
import { element } from "../elements/element.js";
import { formatScore } from "../elements/format.js";
import { table } from "../elements/table.js";
import { metricTitle } from "./metric-text.js";

/** What is read first of a case. */
const METRICS = ["dice", "iou", "hd95", "assd"];

/** The scores of one case by class, as a small table; nothing when it has none. */
export function classScores(scores: CaseScores | undefined, id: string): readonly HTMLElement[] {
  if (!scores?.cases.includes(id)) return [];
  const metrics = METRICS.filter((name) => scores.metrics.includes(name));
  if (metrics.length === 0) return [];
  const write = (metric: string, value: number | undefined) =>
    value === undefined ? "–" : metricKind(metric).isScore ? formatScore(value) : `${value.toFixed(2)} ${metricKind(metric).unit}`;
  const rows = scores.classes.map((name) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      metrics.map((metric) => element("td", { class: "right number" }, write(metric, scores.value(id, name, metric)))),
    ),
  );
  const heads = ["class", ...metrics.map((metric) => metricTitle(metric).split(",")[0]!)];
  const numbers = metrics.map((_, i) => i + 1);
  return [table({ heads, numbers, kind: "", caption: `Scores of ${id} by class` }, element("tbody", {}, rows))];
}
