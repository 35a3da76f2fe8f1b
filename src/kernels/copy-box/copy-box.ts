import { requireOption, VoxError } from "../../core/errors.js";
import { elementCount, type Shape4, type Triple } from "../../core/shape.js";
import { type ChannelValues, perChannel } from "../channel-values.js";
import { native } from "../native.js";
import { requireElements, requireSeparate, requireShape } from "../require-elements.js";
import type { VoxelArray } from "../voxel-array.js";
import { copyBoxReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    /** `fill` has the element type of input and one element per channel. */
    copyBox?(
      input: VoxelArray,
      shape: readonly number[],
      output: VoxelArray,
      outShape: readonly number[],
      start: readonly number[],
      fill: VoxelArray,
    ): void;
  }
}

/**
 * output(i) = input(start + i), `fill` where that lies outside the image: a crop, a patch, a constant padding. Any element type. No extra memory.
 *
 * @shape input (D, H, W, C) → outShape (d, h, w, C)
 * @throws `ERR_SHAPE` when lengths, channels or element types do not fit; `ERR_OPTION` when output overlaps input
 */
export function copyBox<A extends VoxelArray>(input: A, shape: Shape4, output: A, outShape: Shape4, start: Triple, fill: ChannelValues = 0): void {
  const where = "copyBox";
  requireShape(where, "shape", shape, 4);
  requireShape(where, "outShape", outShape, 4);
  requireOption(outShape[3] === shape[3], where, "outShape", `of ${shape[3]} channels`, outShape);
  requireOption(start.every(Number.isSafeInteger), where, "start", "whole numbers", start);
  requireElements(where, "input", input, elementCount(shape));
  requireElements(where, "output", output, elementCount(outShape));
  requireSeparate(where, input, output);
  if (input.constructor !== output.constructor) {
    throw new VoxError(`output must be a ${input.constructor.name}, got ${output.constructor.name}`, { code: "ERR_SHAPE", where });
  }
  const values = perChannel(where, "fill", fill, shape[3]);
  const addon = native();
  if (!addon?.copyBox) {
    copyBoxReference(input, shape, output, outShape, start, values);
    return;
  }
  const typed = new (input.constructor as new (values: Float64Array) => VoxelArray)(values);
  addon.copyBox(input, shape, output, outShape, start, typed);
}
