import type { LabelComparison } from "./label-comparison.js";

/**
 * Intersection over union, the Jaccard index: TP / (TP + FP + FN), in 0..1, higher is better.
 *
 * Both masks empty: NaN. Only one empty: 0.
 *
 * @source Taha and Hanbury, BMC Med. Imaging 15:29 (2015)
 * @example
 * iou(comparison.of(1));
 */
export function iou({ counts }: LabelComparison): number {
  const { truePositives, falsePositives, falseNegatives } = counts;
  return truePositives / (truePositives + falsePositives + falseNegatives);
}
