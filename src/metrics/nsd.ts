import { requireOption } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Millimeters } from "../core/units.js";
import type { LabelComparison } from "./label-comparison.js";

export interface NsdOptions {
  /** Distance up to which surfaces count as equal; 1 mm is the default of Metrics Reloaded, a fair choice is what two raters differ by. */
  readonly tolerance?: Millimeters;
}

/** Distances come from single-precision squares; 1.0000001 mm must count as within 1 mm. */
const ROUNDING = 1e-5;

/**
 * Normalized surface distance (surface Dice) at a tolerance τ: (|{a: d(a, S_B) ≤ τ}| + |{b: d(b, S_A) ≤ τ}|) / (n_A + n_B), in 0..1, higher is better.
 *
 * Counts surface voxels (not surface elements weighted by area, as DeepMind does). Both masks empty: NaN. Only one empty: 0.
 *
 * @units τ in mm
 * @throws `ERR_OPTION` when the tolerance is negative
 * @source Nikolov et al., J. Med. Internet Res. 23 (2021), with voxels as surface elements
 * @example
 * nsd(comparison.of(1), { tolerance: 2 });
 */
export function nsd(comparison: LabelComparison, { tolerance = 1, ...unknown }: NsdOptions = {}): number {
  requireKnownOptions("nsd", unknown, ["tolerance"]);
  requireOption(tolerance >= 0, "nsd", "tolerance", ">= 0 mm", tolerance);
  switch (comparison.state) {
    case "both_empty":
      return Number.NaN;
    case "ref_empty":
    case "pred_empty":
      return 0;
    case "ok": {
      const { toReference, toPrediction } = comparison.surfaces;
      const within = countUpTo(toReference, tolerance + ROUNDING) + countUpTo(toPrediction, tolerance + ROUNDING);
      return within / (toReference.length + toPrediction.length);
    }
    default:
      return comparison.state satisfies never;
  }
}

/** How many of the ascending values are <= limit. */
function countUpTo(ascending: Float64Array, limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
