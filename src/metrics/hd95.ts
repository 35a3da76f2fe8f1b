import type { Millimeters } from "../core/units.js";
import { hausdorffDistance } from "./hausdorff-distance.js";
import type { LabelComparison } from "./label-comparison.js";

/**
 * 95th percentile Hausdorff distance, two-sided variant: the larger of the two directed 95th percentiles (linear between ranks) of surface distances, in
 * mm, lower is better. Tools that pool both directions into one list (MedPy) give another number.
 *
 * Both masks empty: NaN. Only one empty: the diagonal of the image, the worst there is.
 *
 * @units mm
 * @source Reinke et al., Nat. Methods 21 (2024), Metrics Reloaded, HD95
 * @example
 * hd95(comparison.of(1));
 */
export function hd95(comparison: LabelComparison): Millimeters {
  return hausdorffDistance(comparison, 95);
}
