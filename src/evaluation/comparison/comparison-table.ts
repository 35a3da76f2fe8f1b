import { formatBytes } from "../../core/bytes.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { metricTitle } from "../report/metric-title.js";
import { ALL_CLASSES, type ComparedMetric, type ComparisonSummary } from "./summarize-comparison.js";
import type { VariantCost } from "./variant-cost.js";

/** Rows of a table of text; the first is the header. */
export type TableRows = readonly (readonly string[])[];

export interface ComparisonTableOptions {
  /** A column of `detailed.tsv`. */
  readonly metric?: string;
  /** Whether columns say what a variant costs; they do. */
  readonly costs?: boolean;
}

/**
 * One row per variant: mean and interval per class, the difference to the baseline with interval and p, and what the variant costs.
 *
 * @example
 * for (const row of comparisonTable(summarizeComparison(variants, { baseline: "unet", seeds: [0] }))) console.log(row.join("\t"));
 */
export function comparisonTable(
  { variants, baseline }: ComparisonSummary,
  { metric = "dice", costs = true, ...unknown }: ComparisonTableOptions = {},
): TableRows {
  requireKnownOptions("comparisonTable", unknown, ["metric", "costs"]);
  const labels = Object.keys(variants[0]?.classes ?? {}).filter((label) => label !== ALL_CLASSES);
  const shown = [ALL_CLASSES, ...(labels.length > 1 ? labels : [])];
  const head = [
    "variant",
    ...shown.map((label) => `${metricTitle(metric)}, ${label} [95 %]`),
    `difference to ${baseline} [95 %]`,
    "p (Holm)",
    ...(costs ? ["parameters", "memory/step", "ms/step", "training min", "s/case"] : []),
  ];
  const rows = variants.map(({ name, classes, cost }) => {
    const all = classes[ALL_CLASSES]?.[metric];
    return [
      name,
      ...shown.map((label) => withInterval(classes[label]?.[metric])),
      differenceText(all),
      all?.difference?.adjusted == null ? "-" : pText(all.difference.adjusted),
      ...(costs ? costCells(cost) : []),
    ];
  });
  return [head, ...rows];
}

function costCells({ parameters, peakBytes, stepMs, trainSeconds, predictSeconds }: VariantCost): string[] {
  return [
    parameters === null ? "-" : parameters.toLocaleString("en-US"),
    peakBytes === null ? "-" : formatBytes(peakBytes),
    stepMs === null ? "-" : stepMs.toFixed(0),
    (trainSeconds / 60).toFixed(1),
    predictSeconds === null ? "-" : predictSeconds.toFixed(2),
  ];
}

/** The same table in Markdown. */
export function markdownTable(rows: TableRows): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(rows[0]!), `|${"---|".repeat(rows[0]!.length)}`, ...rows.slice(1).map(line)].join("\n");
}

/** Everything, a line per variant, class and metric: for spreadsheets and statistics programs. An empty cell has no value. */
export function comparisonTsv({ variants }: ComparisonSummary): string {
  const head = "variant\tclass\tmetric\tn\tmean\tlow\thigh\tmedian\tstd\tdifference\tdifference_low\tdifference_high\tpairs\tleft_out\tp\tp_holm";
  const lines = variants.flatMap(({ name, classes }) =>
    Object.entries(classes).flatMap(([label, metrics]) =>
      Object.entries(metrics).map(([metric, { values, difference }]) =>
        [
          name,
          label,
          metric,
          values.n,
          ...[values.mean, values.interval?.[0], values.interval?.[1], values.median, values.std].map(cell),
          ...[difference?.mean, difference?.interval?.[0], difference?.interval?.[1]].map(cell),
          difference?.n ?? "",
          difference?.leftOut ?? "",
          cell(difference?.p),
          cell(difference?.adjusted),
        ].join("\t"),
      ),
    ),
  );
  return `${[head, ...lines].join("\n")}\n`;
}

function cell(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? "" : String(Number(value.toPrecision(9)));
}

function withInterval(compared: ComparedMetric | undefined): string {
  if (!compared || compared.values.mean === null) return "-";
  const { mean, interval } = compared.values;
  return interval ? `${figure(mean)} [${figure(interval[0])}, ${figure(interval[1])}]` : figure(mean);
}

function differenceText(compared: ComparedMetric | undefined): string {
  const difference = compared?.difference;
  if (!difference || difference.mean === null) return "-";
  const { mean, interval } = difference;
  return interval ? `${signed(mean)} [${signed(interval[0])}, ${signed(interval[1])}]` : signed(mean);
}

function figure(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(3);
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${figure(Math.abs(value))}`;
}

function pText(p: number): string {
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}
