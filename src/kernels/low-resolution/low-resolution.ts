import { requireOption } from "../../core/errors.js";
import { elementCount, type Shape4, type Triple } from "../../core/shape.js";
import type { InterpolationOrder } from "../resample-image/reference.js";
import { resampleImage } from "../resample-image/resample-image.js";

export interface LowResolutionOptions {
  /** Share of the voxels that stay along each axis, in (0, 1]. */
  readonly zoom: number | Triple;
  /** Interpolation on the way down. Default 0, nnU-Net's. */
  readonly downOrder?: InterpolationOrder;
  /** Interpolation on the way up. Default 3, nnU-Net's. */
  readonly upOrder?: InterpolationOrder;
}

/**
 * Simulates a coarser scan: resampled to round(extent·zoom) voxels and back. Extra memory: the coarse image.
 *
 * @shape input (D, H, W, C) → same
 * @throws `ERR_OPTION` when a zoom is outside (0, 1]
 * @source nnU-Net, SimulateLowResolutionTransform (behavior)
 */
export function lowResolution(input: Float32Array, shape: Shape4, output: Float32Array, options: LowResolutionOptions): void {
  const { zoom, downOrder = 0, upOrder = 3 } = options;
  const zooms = typeof zoom === "number" ? [zoom, zoom, zoom] : zoom;
  for (const z of zooms) requireOption(z > 0 && z <= 1, "lowResolution", "zoom", "in (0, 1]", z);
  const coarse = shape.map((extent, axis) => (axis === 3 ? extent : Math.max(1, Math.round(extent * zooms[axis]!)))) as unknown as Shape4;
  if (elementCount(coarse) === elementCount(shape)) {
    output.set(input);
    return;
  }
  const small = new Float32Array(elementCount(coarse));
  resampleImage(input, shape, small, coarse, { order: downOrder });
  resampleImage(small, coarse, output, shape, { order: upOrder });
}
