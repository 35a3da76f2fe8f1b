import { VoxError } from "../../core/errors.js";
import { elementCount, type Shape4 } from "../../core/shape.js";
import { native } from "../native.js";
import { requireElements, requireSeparate, requireShape } from "../require-elements.js";
import type { VoxelArray } from "../voxel-array.js";
import { mirrorReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    mirror?(input: VoxelArray, shape: readonly number[], output: VoxelArray, depth: boolean, height: boolean, width: boolean): void;
  }
}

/**
 * output(z, y, x) = input reversed along the chosen axes (depth, height, width); any element type. No extra memory.
 *
 * @shape input (D, H, W, C) → same
 * @throws `ERR_SHAPE` when lengths or element types differ; `ERR_OPTION` when output overlaps input
 */
export function mirror<A extends VoxelArray>(input: A, shape: Shape4, output: A, axes: readonly [boolean, boolean, boolean]): void {
  requireShape("mirror", "shape", shape, 4);
  requireElements("mirror", "input", input, elementCount(shape));
  requireElements("mirror", "output", output, input.length);
  requireSeparate("mirror", input, output);
  if (input.constructor !== output.constructor) {
    throw new VoxError(`output must be a ${input.constructor.name}, got ${output.constructor.name}`, { code: "ERR_SHAPE", where: "mirror" });
  }
  const addon = native();
  if (addon?.mirror) addon.mirror(input, shape, output, ...axes);
  else mirrorReference(input, shape, output, axes);
}
