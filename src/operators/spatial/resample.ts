import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import type { Millimeters } from "../../core/units.js";
import { transform } from "../transform.js";

export interface ResampleOptions {
  /** Wanted voxel size [depth, height, width]. */
  readonly spacing: readonly [Millimeters, Millimeters, Millimeters];
  /** Image interpolation: 0 nearest, 1 linear, 3 cubic B-spline. Default 3. */
  readonly order?: 0 | 1 | 3;
  /** Label interpolation: 0 nearest, 1 linear per class with the majority winning; neither makes a class that was not there. Default 1. */
  readonly labelOrder?: 0 | 1;
}

/**
 * Resamples to another voxel size: new extent = ⌊extent·spacing/new spacing⌋, at least 1, on a grid that covers exactly the old field of view (so the
 * resulting spacing differs from the wanted one by less than one voxel's share). Voxels at the border take their nearest neighbors: no border of zeros.
 *
 * @shape image (D, H, W, C) → (D', H', W', C)
 * @units spacing in mm
 * @label resampled without new classes; predictions go back to the shape before
 * @throws `ERR_OPTION` when a spacing is not > 0 or an order is unknown
 * @source MIScnn 1.4, subfunctions/resampling.py (shape rule); half-voxel centers as in scikit-image `resize`
 * @example
 * samples.pipe(resample({ spacing: [3.22, 1.62, 1.62] }))
 */
export function resample(options: ResampleOptions): OperatorFunction<Sample, Sample> {
  requireKnownOptions("resample", options, ["spacing", "order", "labelOrder"]);
  const { spacing, order = 3, labelOrder = 1 } = options;
  const isSpacing = Array.isArray(spacing) && spacing.length === 3 && spacing.every((s) => Number.isFinite(s) && s > 0);
  requireOption(isSpacing, "resample", "spacing", "three numbers > 0 mm, [depth, height, width]", spacing);
  requireOption([0, 1, 3].includes(order), "resample", "order", "0, 1 or 3", order);
  requireOption([0, 1].includes(labelOrder), "resample", "labelOrder", "0 or 1", labelOrder);
  return transform({ name: "resample", parameters: { spacing, order, labelOrder } });
}
