import type { Millimeters } from "../core/units.js";
import { distanceOrWorst } from "./distance-or-worst.js";
import type { LabelComparison } from "./label-comparison.js";

/**
 * Average symmetric surface distance: (Σ d(a, S_B) + Σ d(b, S_A)) / (n_A + n_B) over surface voxels, in mm, lower is better.
 *
 * Both masks empty: NaN. Only one empty: the diagonal of the image, the worst there is.
 *
 * @units mm
 * @source Reinke et al., Nat. Methods 21 (2024), Metrics Reloaded, ASSD
 * @example
 * assd(comparison.of(1));
 */
export function assd(comparison: LabelComparison): Millimeters {
  return distanceOrWorst(comparison, ({ toReference, toPrediction }) => {
    const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
    return (sum(toReference) + sum(toPrediction)) / (toReference.length + toPrediction.length);
  });
}
