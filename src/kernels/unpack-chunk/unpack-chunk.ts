import { VoxError } from "../../core/errors.js";
import { elementCount, type Shape4 } from "../../core/shape.js";
import { native } from "../native.js";
import { requireElements, requireShape } from "../require-elements.js";
import type { VoxelArray } from "../voxel-array.js";
import { encodingArguments } from "../voxel-encoding/encoding-arguments.js";
import { ENCODED_BYTES, type VoxelEncoding } from "../voxel-encoding/voxel-encoding.js";
import { BOX_NUMBERS, unpackChunkReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    unpackChunk?(
      chunk: Uint8Array,
      box: Int32Array,
      output: VoxelArray,
      outShape: readonly number[],
      ...encoding: ReturnType<typeof encodingArguments>
    ): void;
  }
}

/**
 * Copies a box out of a chunk, an array in C order as `packChunk` makes it, into a box of `output`. Twelve whole numbers of `box` say which: extents of the
 * chunk, first voxel in the chunk, first voxel in the output, extents of the copy. The chunk may begin at any byte. No extra memory.
 *
 * @shape output (D, H, W, C)
 * @throws `ERR_SHAPE` when the box is not inside the chunk and the output
 */
export function unpackChunk(chunk: Uint8Array, box: Int32Array, output: VoxelArray, outShape: Shape4, encoding?: VoxelEncoding): void {
  const where = "unpackChunk";
  requireShape(where, "outShape", outShape, 4);
  requireElements(where, "output", output, elementCount(outShape));
  requireElements(where, "box", box, BOX_NUMBERS);
  let isInside = true;
  let voxels = 1;
  for (let axis = 0; axis < 3; axis++) {
    const [extent, from, to, size] = [box[axis]!, box[3 + axis]!, box[6 + axis]!, box[9 + axis]!];
    isInside &&= size >= 1 && from >= 0 && from + size <= extent && to >= 0 && to + size <= outShape[axis]!;
    voxels *= extent;
  }
  const bytes = voxels * outShape[3] * (encoding ? ENCODED_BYTES : output.BYTES_PER_ELEMENT);
  if (!isInside || bytes > chunk.length) {
    throw new VoxError(`a box must lie inside its chunk of ${chunk.length} bytes and the output, got ${box.join(", ")}`, {
      code: "ERR_SHAPE",
      where,
    });
  }
  const addon = native();
  if (addon?.unpackChunk) addon.unpackChunk(chunk, box, output, outShape, ...encodingArguments(encoding));
  else unpackChunkReference(chunk, box, output, outShape, encoding);
}
