import type { LabelComparison } from "./label-comparison.js";

/**
 * Recall, the share of the reference that was found: TP / (TP + FN), in 0..1, higher is better.
 *
 * Reference empty: NaN. Only the prediction empty: 0.
 *
 * @source Taha and Hanbury, BMC Med. Imaging 15:29 (2015)
 * @example
 * sensitivity(comparison.of(1));
 */
export function sensitivity({ counts }: LabelComparison): number {
  return counts.truePositives / (counts.truePositives + counts.falseNegatives);
}
