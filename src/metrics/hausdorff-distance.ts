// Internal: hd and hd95 are its public forms.
import type { Millimeters } from "../core/units.js";
import { distanceOrWorst } from "./distance-or-worst.js";
import type { LabelComparison } from "./label-comparison.js";
import { percentile } from "./percentile.js";

/** Larger of the two directed percentiles of surface distances; both masks empty: NaN, only one empty: the diagonal of the image. */
export function hausdorffDistance(comparison: LabelComparison, rank: number): Millimeters {
  return distanceOrWorst(comparison, ({ toReference, toPrediction }) => Math.max(percentile(toReference, rank), percentile(toPrediction, rank)));
}
