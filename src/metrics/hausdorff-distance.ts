// Internal: hd and hd95 are its public forms.
import type { Millimeters } from "../core/units.js";
import type { LabelComparison } from "./label-comparison.js";
import { percentile } from "./percentile.js";

/** Larger of the two directed percentiles of surface distances; both masks empty: NaN, only one empty: the diagonal of the image. */
export function hausdorffDistance(comparison: LabelComparison, rank: number): Millimeters {
  switch (comparison.state) {
    case "both_empty":
      return Number.NaN;
    case "ref_empty":
    case "pred_empty":
      return comparison.diagonal;
    case "ok": {
      const { toReference, toPrediction } = comparison.surfaces;
      return Math.max(percentile(toReference, rank), percentile(toPrediction, rank));
    }
    default:
      return comparison.state satisfies never;
  }
}
