import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import type { Sample } from "../../core/sample.js";
import { transform } from "../transform.js";

export interface NormalizeOptions {
  /** Default "z-score". */
  readonly mode?: "z-score" | "min-max" | "grayscale";
  /** For "min-max": where the smallest and the largest voxel go. Default [0, 1]. */
  readonly range?: readonly [number, number];
  /** Statistics of each channel on its own, since the modalities of a case have scales of their own; false takes all channels together, as MIScnn does. Default true. */
  readonly perChannel?: boolean;
}

/**
 * z-score: (x - mean + ε)/(std + ε); min-max: (x - min + ε)/(max - min + ε) put onto `range`; grayscale: round(255·min-max), halves to even; ε = 1e-6.
 * Statistics are of the whole sample: in front of `patch` that is the case. A constant image becomes 1 (the upper end of the range, 255).
 *
 * @shape image (D, H, W, C) → same
 * @units in any, out unitless
 * @label unchanged
 * @throws `ERR_OPTION` when the mode is unknown or the range is not two ascending finite numbers
 * @source MIScnn 1.4, subfunctions/normalization.py (formulas)
 * @example
 * samples.pipe(normalize({ mode: "min-max", range: [-1, 1] }))
 */
export function normalize({ mode = "z-score", range = [0, 1], perChannel = true }: NormalizeOptions = {}): OperatorFunction<Sample, Sample> {
  requireOption(["z-score", "min-max", "grayscale"].includes(mode), "normalize", "mode", '"z-score", "min-max" or "grayscale"', mode);
  const isRange = range.length === 2 && range.every(Number.isFinite) && range[0] < range[1];
  requireOption(isRange, "normalize", "range", "two finite numbers, the smaller one first", range);
  requireOption(typeof perChannel === "boolean", "normalize", "perChannel", "true or false", perChannel);
  return transform({ name: "normalize", params: { mode, range, perChannel } });
}
