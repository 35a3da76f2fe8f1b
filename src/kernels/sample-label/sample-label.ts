import { requireOption } from "../../core/errors.js";
import { elementCount, type Shape4 } from "../../core/shape.js";
import type { LabelArray } from "../label-array.js";
import { native } from "../native.js";
import { requireAlike, requireElements, requireSeparate, requireShape } from "../require-elements.js";
import { IDENTITY_MATRIX, nativeDisplacement, requireCoordinates, type SampleCoordinates } from "../sample-image/sample-coordinates.js";
import { sampleLabelReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    sampleLabel?(
      input: LabelArray,
      shape: readonly number[],
      output: LabelArray,
      outShape: readonly number[],
      center: readonly number[],
      matrix: readonly number[],
      displacement: Float32Array | undefined,
      order: number,
      fill: number,
      lattice: Float32Array | undefined,
      nodes: readonly number[],
      step: number,
    ): void;
  }
}

export interface SampleLabelOptions extends SampleCoordinates {
  /** 0: the nearest voxel's label; 1: the label whose linear weight is at least one half. */
  readonly order: 0 | 1;
  /** Label of voxels from outside the image. Default 0, background. */
  readonly fill?: number;
}

/**
 * The label map's side of `sampleImage`, at the same coordinates: nearest label, or per-label linear interpolation with the rule of `resampleLabel`.
 * No extra memory.
 *
 * @shape input (D, H, W, 1) → outShape (d, h, w, 1)
 * @label sampled; never a label that was not there, except `fill` and 0
 * @throws `ERR_OPTION` when shapes or coordinates do not fit; `ERR_SHAPE` when lengths or element types do not
 */
export function sampleLabel<A extends LabelArray>(input: A, shape: Shape4, output: A, outShape: Shape4, options: SampleLabelOptions): void {
  const where = "sampleLabel";
  const { center, matrix = IDENTITY_MATRIX, order, fill = 0 } = options;
  requireShape(where, "shape", shape, 4);
  requireShape(where, "outShape", outShape, 4);
  requireOption(shape[3] === 1 && outShape[3] === 1, where, "channels", "1", [shape[3], outShape[3]]);
  requireOption(order === 0 || order === 1, where, "order", "0 or 1", order);
  requireCoordinates(where, outShape, options);
  requireElements(where, "input", input, elementCount(shape));
  requireElements(where, "output", output, elementCount(outShape));
  requireSeparate(where, input, output);
  requireAlike(where, input, output);
  const addon = native();
  if (!addon?.sampleLabel) {
    sampleLabelReference(input, shape, output, outShape, options, order, fill);
    return;
  }
  const [dense, lattice, nodes, step] = nativeDisplacement(options);
  addon.sampleLabel(input, shape, output, outShape, center, matrix, dense, order, fill, lattice, nodes, step);
}
