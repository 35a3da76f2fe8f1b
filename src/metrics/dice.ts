import type { LabelComparison } from "./label-comparison.js";

/**
 * 2TP / (2TP + FP + FN), in 0..1, higher is better.
 *
 * Both masks empty: NaN, which means of cases leave out. Only one empty: 0.
 *
 * @source Taha and Hanbury, BMC Med. Imaging 15:29 (2015)
 * @example
 * dice(new LabelMapComparison({ prediction, reference, shape }).of(1));
 */
export function dice({ counts }: LabelComparison): number {
  const { truePositives, falsePositives, falseNegatives } = counts;
  return (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives);
}
