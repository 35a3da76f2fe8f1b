import { requireOption } from "../../core/errors.js";
import { elementCount, type Shape4 } from "../../core/shape.js";
import { type ChannelValues, perChannel } from "../channel-values.js";
import { native } from "../native.js";
import { requireElements, requireSeparate, requireShape } from "../require-elements.js";
import type { InterpolationOrder } from "../resample-image/reference.js";
import { sampleImageReference } from "./reference.js";
import { IDENTITY_MATRIX, nativeDisplacement, requireCoordinates, type SampleCoordinates } from "./sample-coordinates.js";

declare module "../native.js" {
  interface NativeAddon {
    sampleImage?(
      input: Float32Array,
      shape: readonly number[],
      output: Float32Array,
      outShape: readonly number[],
      center: readonly number[],
      matrix: readonly number[],
      displacement: Float32Array | undefined,
      order: number,
      fill: Float64Array,
      lattice: Float32Array | undefined,
      nodes: readonly number[],
      step: number,
    ): void;
  }
}

export interface SampleImageOptions extends SampleCoordinates {
  /** 0 nearest, 1 linear, 3 cubic B-spline with prefilter. */
  readonly order: InterpolationOrder;
  /** Voxels from outside the image: one value, or one per channel. Default 0. */
  readonly fill?: ChannelValues;
}

/**
 * Crop, rotation, scaling and elastic deformation in one interpolation: output(i) = input at `center + M·(i - (P-1)/2 + displacement(i))`. A voxel reaches
 * half a voxel around its center: up to there the image goes on with its edge voxels, farther out is `fill`. Only the part of the input that is needed is
 * read. Extra memory: for order 3 the spline coefficients of that part, 4 bytes per voxel (native).
 *
 * @shape input (D, H, W, C) → outShape (d, h, w, C)
 * @throws `ERR_OPTION` when shapes or coordinates do not fit; `ERR_SHAPE` when lengths do not
 * @source batchgenerators, augment_spatial (behavior), with half-voxel centers and edges
 */
export function sampleImage(input: Float32Array, shape: Shape4, output: Float32Array, outShape: Shape4, options: SampleImageOptions): void {
  const where = "sampleImage";
  const { center, matrix = IDENTITY_MATRIX, order, fill = 0 } = options;
  requireShape(where, "shape", shape, 4);
  requireShape(where, "outShape", outShape, 4);
  requireOption(outShape[3] === shape[3], where, "outShape", `of ${shape[3]} channels`, outShape);
  requireOption(order === 0 || order === 1 || order === 3, where, "order", "0, 1 or 3", order);
  requireCoordinates(where, outShape, options);
  requireElements(where, "input", input, elementCount(shape));
  requireElements(where, "output", output, elementCount(outShape));
  requireSeparate(where, input, output);
  const values = perChannel(where, "fill", fill, shape[3]);
  const addon = native();
  if (!addon?.sampleImage) {
    sampleImageReference(input, shape, output, outShape, options, order, values);
    return;
  }
  const [dense, lattice, nodes, step] = nativeDisplacement(options);
  addon.sampleImage(input, shape, output, outShape, center, matrix, dense, order, values, lattice, nodes, step);
}
