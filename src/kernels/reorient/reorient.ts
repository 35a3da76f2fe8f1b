import { requireOption, VoxError } from "../../core/errors.js";
import { elementCount, type Shape4, type Triple } from "../../core/shape.js";
import { native } from "../native.js";
import { requireElements, requireSeparate, requireShape } from "../require-elements.js";
import type { VoxelArray } from "../voxel-array.js";
import { reorientReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    reorient?(input: VoxelArray, shape: readonly number[], output: VoxelArray, order: readonly number[], flips: readonly number[]): void;
  }
}

/**
 * Swaps and flips axes: output axis k runs along input axis `order[k]`, backwards where `flips[k]`. Channels stay together. Any element type. No extra memory.
 *
 * @shape input (D, H, W, C) → (shape[order[0]], shape[order[1]], shape[order[2]], C)
 * @throws `ERR_OPTION` unless order is a permutation of 0, 1, 2, or when output overlaps input; `ERR_SHAPE` when lengths or element types do not fit
 * @source numpy.transpose, numpy.flip
 */
export function reorient<A extends VoxelArray>(input: A, shape: Shape4, output: A, order: Triple, flips: readonly [boolean, boolean, boolean]): void {
  const where = "reorient";
  requireShape(where, "shape", shape, 4);
  requireOption([...order].sort().join() === "0,1,2", where, "order", "a permutation of 0, 1, 2", order);
  requireElements(where, "input", input, elementCount(shape));
  requireElements(where, "output", output, input.length);
  requireSeparate(where, input, output);
  if (input.constructor !== output.constructor) {
    throw new VoxError(`output must be a ${input.constructor.name}, got ${output.constructor.name}`, { code: "ERR_SHAPE", where });
  }
  const addon = native();
  if (addon?.reorient) addon.reorient(input, shape, output, order, flips.map(Number));
  else reorientReference(input, shape, output, order, flips);
}
