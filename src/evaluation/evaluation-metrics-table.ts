import type { EvaluationSummary } from "./evaluation-summary.js";
import type { ValueSummary } from "./summarize-values.js";

/**
 * All metrics of the summary as a table for the terminal: a row per metric, for each class mean ± deviation and median.
 *
 * @example
 * console.log(evaluationMetricsTable(summary));
 */
export function evaluationMetricsTable({ classes, meanOverClasses }: EvaluationSummary): string {
  const names = Object.keys(classes);
  const rows = [
    ["metric", ...names.flatMap((name) => [name, "median"])],
    ...Object.keys(meanOverClasses).map((column) => [
      column,
      ...names.flatMap((name) => {
        const { mean, std, median } = classes[name]!.metrics[column] as ValueSummary;
        return [std === null ? number(mean) : `${number(mean)} ± ${number(std)}`, number(median)];
      }),
    ]),
  ];
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  return rows.map((row) => row.map((cell, at) => (at === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[at]!))).join("  ")).join("\n");
}

function number(value: number | null): string {
  if (value === null) return "-";
  return Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(3);
}
