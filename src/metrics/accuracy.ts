import type { LabelComparison } from "./label-comparison.js";

/**
 * Share of voxels on which prediction and reference agree: (TP + TN) / all, in 0..1, higher is better. Close to 1 for any small organ, found or not.
 *
 * Empty masks need no rule.
 *
 * @source Taha and Hanbury, BMC Med. Imaging 15:29 (2015)
 * @example
 * accuracy(comparison.of(1));
 */
export function accuracy({ counts, maps }: LabelComparison): number {
  return (counts.truePositives + counts.trueNegatives) / maps.total;
}
