import { requireOption } from "../../core/errors.js";
import { elementCount, type Shape4 } from "../../core/shape.js";
import { type ChannelValues, perChannel } from "../channel-values.js";
import type { LabelArray } from "../label-array.js";
import { native } from "../native.js";
import { requireAlike, requireElements, requireSeparate, requireShape } from "../require-elements.js";
import type { InterpolationOrder } from "../resample-image/reference.js";
import { sampleLabelReference } from "../sample-label/reference.js";
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
      labels: LabelArray | undefined,
      labelOutput: LabelArray | undefined,
      labelFill: number,
    ): void;
  }
}

export interface SampleImageOptions extends SampleCoordinates {
  /** 0 nearest, 1 linear, 3 cubic B-spline with prefilter. */
  readonly order: InterpolationOrder;
  /** Voxels from outside the image: one value, or one per channel. Default 0. */
  readonly fill?: ChannelValues;
  /**
   * A label map that goes along, nearest label, in the same pass: it lies on the image's grid and comes out on the output's. Label from outside: `fill`,
   * default 0.
   */
  readonly labels?: { readonly input: LabelArray; readonly output: LabelArray; readonly fill?: number };
}

/**
 * Crop, rotation, scaling and elastic deformation in one interpolation: output(i) = input at `center + M·(i - (P-1)/2 + displacement(i))`. A voxel reaches
 * half a voxel around its center: up to there the image goes on with its edge voxels, farther out is `fill`. Only the part of the input that is needed is
 * read. Extra memory: for order 3 the spline coefficients of that part, 4 bytes per voxel, and half as much again while they are made (native).
 *
 * @shape input (D, H, W, C) → outShape (d, h, w, C)
 * @label `labels` as `sampleLabel` of order 0 would give them, for the price of reading and writing them
 * @throws `ERR_OPTION` when shapes or coordinates do not fit; `ERR_SHAPE` when lengths do not
 * @source batchgenerators, augment_spatial (behavior), with half-voxel centers and edges
 */
export function sampleImage(input: Float32Array, shape: Shape4, output: Float32Array, outShape: Shape4, options: SampleImageOptions): void {
  const where = "sampleImage";
  const { center, matrix = IDENTITY_MATRIX, order, fill = 0, labels } = options;
  requireShape(where, "shape", shape, 4);
  requireShape(where, "outShape", outShape, 4);
  requireOption(outShape[3] === shape[3], where, "outShape", `of ${shape[3]} channels`, outShape);
  requireOption(order === 0 || order === 1 || order === 3, where, "order", "0, 1 or 3", order);
  requireCoordinates(where, outShape, options);
  requireElements(where, "input", input, elementCount(shape));
  requireElements(where, "output", output, elementCount(outShape));
  requireSeparate(where, input, output);
  const values = perChannel(where, "fill", fill, shape[3]);
  if (labels) {
    requireElements(where, "labels.input", labels.input, elementCount(shape) / shape[3]);
    requireElements(where, "labels.output", labels.output, elementCount(outShape) / outShape[3]);
    requireSeparate(where, labels.input, labels.output);
    requireAlike(where, labels.input, labels.output);
  }
  const addon = native();
  if (!addon?.sampleImage) {
    sampleImageReference(input, shape, output, outShape, options, order, values);
    if (labels) {
      const [from, to]: [Shape4, Shape4] = [
        [shape[0], shape[1], shape[2], 1],
        [outShape[0], outShape[1], outShape[2], 1],
      ];
      sampleLabelReference(labels.input, from, labels.output, to, options, 0, labels.fill ?? 0);
    }
    return;
  }
  const [dense, lattice, nodes, step] = nativeDisplacement(options);
  addon.sampleImage(
    input,
    shape,
    output,
    outShape,
    center,
    matrix,
    dense,
    order,
    values,
    lattice,
    nodes,
    step,
    labels?.input,
    labels?.output,
    labels?.fill ?? 0,
  );
}
