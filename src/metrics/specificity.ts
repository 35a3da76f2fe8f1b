import type { LabelComparison } from "./label-comparison.js";

/**
 * True negative rate: TN / (TN + FP), in 0..1, higher is better. It grows with the empty space around the organ; read it beside {@link precision}.
 *
 * Empty masks need no rule; NaN only where the reference fills the whole image.
 *
 * @source Taha and Hanbury, BMC Med. Imaging 15:29 (2015)
 * @example
 * specificity(comparison.of(1));
 */
export function specificity({ counts }: LabelComparison): number {
  return counts.trueNegatives / (counts.trueNegatives + counts.falsePositives);
}
