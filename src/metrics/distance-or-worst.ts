// Internal: what distances give where a mask is empty.
import type { Millimeters } from "../core/units.js";
import type { LabelComparison } from "./label-comparison.js";
import type { SurfaceDistances } from "./surface-distances.js";

/** Both masks empty: NaN; only one empty: the diagonal of the image, the worst there is; else what the distances between the surfaces say. */
export function distanceOrWorst(comparison: LabelComparison, distance: (surfaces: SurfaceDistances) => Millimeters): Millimeters {
  switch (comparison.state) {
    case "both_empty":
      return Number.NaN;
    case "ref_empty":
    case "pred_empty":
      return comparison.diagonal;
    case "ok":
      return distance(comparison.surfaces);
    default:
      return comparison.state satisfies never;
  }
}
