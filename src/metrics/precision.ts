import type { LabelComparison } from "./label-comparison.js";

/**
 * Positive predictive value, the share of the prediction that is right: TP / (TP + FP), in 0..1, higher is better.
 *
 * Both masks empty: NaN. Only one empty: 0, also where nothing was predicted, so that a model cannot gain by silence.
 *
 * @source Taha and Hanbury, BMC Med. Imaging 15:29 (2015)
 * @example
 * precision(comparison.of(1));
 */
export function precision({ counts, state }: LabelComparison): number {
  return state === "pred_empty" ? 0 : counts.truePositives / (counts.truePositives + counts.falsePositives);
}
