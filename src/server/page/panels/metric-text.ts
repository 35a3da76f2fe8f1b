import { metricKind } from "../data/case-scores.js";
import { formatCount, formatScore, formatValue } from "../elements/format.js";

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
  lesion_f1: "F1 of lesions",
  volume_error: "Volume error, relative",
  volume_error_mm3: "Volume error",
};

/** The name of a column of scores as people write it, with its unit. */
export function metricTitle(metric: string): string {
  const title = TITLES[metric] ?? metric.replace(/^nsd_(.*)mm$/, "NSD at $1 mm");
  const { unit } = metricKind(metric);
  return unit ? `${title}, ${unit}` : title;
}

/** The same number of decimals in a whole column, so that its points stand below each other. */
export function metricDecimals(metric: string, values: readonly (number | undefined)[]): (value: number) => string {
  if (metricKind(metric).isScore) return formatScore;
  const most = Math.max(0, ...values.map((value) => Math.abs(value ?? 0)));
  if (most >= 1000) return formatCount;
  if (most < 0.01) return formatValue;
  return (value) => value.toFixed(most >= 100 ? 1 : most >= 1 ? 2 : 3);
}
