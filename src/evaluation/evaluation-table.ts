import type { EvaluationSummary } from "./evaluation-summary.js";
import type { ValueSummary } from "./summarize-values.js";

/**
 * The summary as a table for the terminal: per class the number of cases, Dice, IoU, HD95, NSD, and cases with an empty mask; then what is missing or failed.
 *
 * @example
 * console.log(evaluationTable(summary));
 */
export function evaluationTable({ cases, classes, meanOverClasses, missing, failed }: EvaluationSummary): string {
  const all = Object.keys(meanOverClasses);
  const shown = ["dice", "iou", "hd95", "assd", ...all.filter((name) => name.startsWith("nsd"))].filter((name) => all.includes(name));
  const columns = shown.length > 0 ? shown : all;
  const head = ["class", "n", ...columns.map(titleOf), "empty (both/ref/pred)"];
  const rows = Object.entries(classes).map(([name, { metrics, states }]) => [
    name,
    String(metrics[columns[0]!]?.n ?? 0),
    ...columns.map((column) => meanAndDeviation(metrics[column]!)),
    `${states.both_empty}/${states.ref_empty}/${states.pred_empty}`,
  ]);
  rows.push(["mean of classes", "", ...columns.map((column) => number(meanOverClasses[column]!.mean)), ""]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)))
      .join("  ")
      .trimEnd();
  const notes = [
    `${cases} case${cases === 1 ? "" : "s"}; mean ± deviation over cases`,
    ...(missing.length > 0 ? [`without prediction: ${listed(missing)}`] : []),
    ...failed.map(({ id, message }) => `failed: ${id}: ${message}`),
  ];
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line), ...notes].join("\n");
}

const TITLES: Readonly<Record<string, string>> = { dice: "Dice", iou: "IoU", hd95: "HD95 mm", assd: "ASSD mm" };

function titleOf(column: string): string {
  return TITLES[column] ?? column.replace(/^nsd_(.*)mm$/, "NSD@$1mm");
}

function meanAndDeviation({ mean, std }: ValueSummary): string {
  return std === null ? number(mean) : `${number(mean)} ± ${number(std)}`;
}

function number(value: number | null): string {
  if (value === null) return "-";
  return Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(3);
}

function listed(ids: readonly string[]): string {
  return ids.length > 8 ? `${ids.slice(0, 8).join(", ")}, … (${ids.length} cases)` : ids.join(", ");
}
