import type { Millimeters } from "../core/units.js";
import { hausdorffDistance } from "./hausdorff-distance.js";
import type { LabelComparison } from "./label-comparison.js";

/**
 * Hausdorff distance: max of max_a d(a, S_B) and max_b d(b, S_A) over the surface voxels of prediction A and reference B, in mm, lower is better.
 *
 * Both masks empty: NaN. Only one empty: the diagonal of the image, the worst there is.
 *
 * @units mm
 * @source Taha and Hanbury, BMC Med. Imaging 15:29 (2015)
 * @example
 * hd(comparison.of(1));
 */
export function hd(comparison: LabelComparison): Millimeters {
  return hausdorffDistance(comparison, 100);
}
