import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import type { Triple } from "../../core/shape.js";
import { transform } from "../transform.js";

export interface ResizeOptions {
  /** Wanted extents [depth, height, width]. */
  readonly size: Triple;
  /** Image interpolation: 0 nearest, 1 linear, 3 cubic B-spline. Default 3. */
  readonly order?: 0 | 1 | 3;
  /** Label interpolation: 0 nearest, 1 linear per class with the majority winning; neither makes a class that was not there. Default 1. */
  readonly labelOrder?: 0 | 1;
}

/**
 * Brings every sample to one size, over its own field of view: src = (dst + 0.5)·S/D - 0.5 per axis. Voxel sizes differ then from case to case; where they
 * matter, use `resample`. Voxels at the border take their nearest neighbors: no border of zeros.
 *
 * @shape image (D, H, W, C) → (size, C)
 * @units voxels
 * @label resized without new classes; predictions go back to the size before
 * @throws `ERR_OPTION` when an extent is not a whole number ≥ 1 or an order is unknown
 * @source MIScnn 1.4, subfunctions/resize.py; half-voxel centers as in scikit-image `resize`
 * @example
 * samples.pipe(resize({ size: [1, 592, 592] }))
 */
export function resize(options: ResizeOptions): OperatorFunction<Sample, Sample> {
  requireKnownOptions("resize", options, ["size", "order", "labelOrder"]);
  const { size, order = 3, labelOrder = 1 } = options;
  const isSize = Array.isArray(size) && size.length === 3 && size.every((extent) => Number.isSafeInteger(extent) && extent >= 1);
  requireOption(isSize, "resize", "size", "three whole numbers >= 1, [depth, height, width]", size);
  requireOption([0, 1, 3].includes(order), "resize", "order", "0, 1 or 3", order);
  requireOption([0, 1].includes(labelOrder), "resize", "labelOrder", "0 or 1", labelOrder);
  return transform({ name: "resize", parameters: { size, order, labelOrder } });
}
