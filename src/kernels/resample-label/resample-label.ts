import { requireOption, VoxError } from "../../core/errors.js";
import { elementCount, type Shape4 } from "../../core/shape.js";
import type { LabelArray } from "../label-array.js";
import { native } from "../native.js";
import { requireElements, requireSeparate, requireShape } from "../require-elements.js";
import { resampleLabelReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    resampleLabel?(input: LabelArray, shape: readonly number[], output: LabelArray, outShape: readonly number[], order: number): void;
  }
}

export interface ResampleLabelOptions {
  /** 0: the nearest voxel's label; 1: the label whose linear weight is at least one half. */
  readonly order: 0 | 1;
}

/**
 * Resamples a label map on the grid of `resampleImage`. Order 1 interpolates each label's mask linearly and takes the label that reaches 0.5 (of two equal
 * halves the larger label; where none does, 0). Never makes a label that was not there, except 0; the time does not depend on the number of labels.
 * Extra memory: a few rows.
 *
 * @shape input (D, H, W, 1) → outShape (d, h, w, 1)
 * @label resampled
 * @throws `ERR_SHAPE` when lengths or element types do not fit
 * @source batchgenerators, resize_segmentation (behavior)
 */
export function resampleLabel<A extends LabelArray>(input: A, shape: Shape4, output: A, outShape: Shape4, { order }: ResampleLabelOptions): void {
  const where = "resampleLabel";
  requireShape(where, "shape", shape, 4);
  requireShape(where, "outShape", outShape, 4);
  requireOption(shape[3] === 1 && outShape[3] === 1, where, "channels", "1", [shape[3], outShape[3]]);
  requireOption(order === 0 || order === 1, where, "order", "0 or 1", order);
  requireElements(where, "input", input, elementCount(shape));
  requireElements(where, "output", output, elementCount(outShape));
  requireSeparate(where, input, output);
  if (input.constructor !== output.constructor) {
    throw new VoxError(`output must be a ${input.constructor.name}, got ${output.constructor.name}`, { code: "ERR_SHAPE", where });
  }
  const addon = native();
  if (addon?.resampleLabel) addon.resampleLabel(input, shape, output, outShape, order);
  else resampleLabelReference(input, shape, output, outShape, order);
}
