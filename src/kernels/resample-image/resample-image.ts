import { requireOption } from "../../core/errors.js";
import { elementCount, type Shape4 } from "../../core/shape.js";
import { native } from "../native.js";
import { requireElements, requireSeparate, requireShape } from "../require-elements.js";
import { type InterpolationOrder, resampleImageReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    resampleImage?(input: Float32Array, shape: readonly number[], output: Float32Array, outShape: readonly number[], order: number): void;
  }
}

export interface ResampleImageOptions {
  /** 0 nearest, 1 linear, 3 cubic B-spline with prefilter. */
  readonly order: InterpolationOrder;
}

/**
 * Resamples onto another number of voxels over the same field of view: src = (dst + 0.5)·S/D - 0.5 (half-pixel centers). Beyond its border the image goes
 * on with its edge voxels, also for the spline's prefilter, so a constant image stays constant up to the border. The result is kept in the input's range of
 * each channel. No anti-aliasing. Extra memory: a band of output rows of all
 * input slices, some MB (native): 3 MB for 64x512x512 to 59x246x246.
 *
 * @shape input (D, H, W, C) → outShape (d, h, w, C)
 * @throws `ERR_OPTION` when shapes do not fit; `ERR_SHAPE` when lengths do not
 * @source scipy.ndimage.zoom(mode="nearest", grid_mode=True), which skimage.transform.resize(mode="edge") calls
 */
export function resampleImage(input: Float32Array, shape: Shape4, output: Float32Array, outShape: Shape4, { order }: ResampleImageOptions): void {
  const where = "resampleImage";
  requireShape(where, "shape", shape, 4);
  requireShape(where, "outShape", outShape, 4);
  requireOption(outShape[3] === shape[3], where, "outShape", `of ${shape[3]} channels`, outShape);
  requireOption(order === 0 || order === 1 || order === 3, where, "order", "0, 1 or 3", order);
  requireElements(where, "input", input, elementCount(shape));
  requireElements(where, "output", output, elementCount(outShape));
  requireSeparate(where, input, output);
  const addon = native();
  if (addon?.resampleImage) addon.resampleImage(input, shape, output, outShape, order);
  else resampleImageReference(input, shape, output, outShape, order);
}
