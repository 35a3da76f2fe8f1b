import type { LabelComparison } from "./label-comparison.js";

/**
 * Relative volume error (V_A - V_B) / V_B of prediction A and reference B: 0 is right, negative means too small.
 *
 * Both masks empty: 0. Only the reference empty: NaN (the volume itself stands in the tables as mm³). Only the prediction empty: -1.
 *
 * @source Heimann et al., IEEE Trans. Med. Imaging 28:1251 (2009), with its sign
 * @example
 * volumeError(comparison.of(1));
 */
export function volumeError({ counts, state }: LabelComparison): number {
  if (state === "both_empty") return 0;
  if (state === "ref_empty") return Number.NaN;
  return (counts.falsePositives - counts.falseNegatives) / (counts.truePositives + counts.falseNegatives);
}
