import { requireOption } from "../../core/errors.js";
import { elementCount, type Shape4, type Triple } from "../../core/shape.js";
import { native } from "../native.js";
import { requireElements, requireSeparate, requireShape } from "../require-elements.js";
import type { VoxelArray } from "../voxel-array.js";
import { encodingArguments } from "../voxel-encoding/encoding-arguments.js";
import { ENCODED_BYTES, type VoxelEncoding } from "../voxel-encoding/voxel-encoding.js";
import { packChunkReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    packChunk?(
      input: VoxelArray,
      shape: readonly number[],
      start: readonly number[],
      size: readonly number[],
      output: Uint8Array,
      ...encoding: ReturnType<typeof encodingArguments>
    ): void;
  }
}

/** Bytes of the checksum behind the voxels of a chunk. */
export const CHECKSUM_BYTES = 4;

/**
 * Copies a box of an array into `output`, C order, and puts the CRC-32 of the copy behind it, in one pass over the memory. No extra memory.
 *
 * @shape input (D, H, W, C) → d h w C elements and 4 bytes
 * @throws `ERR_OPTION` when the box is not inside the array; `ERR_SHAPE` when lengths do not fit
 */
export function packChunk(input: VoxelArray, shape: Shape4, start: Triple, size: Triple, output: Uint8Array, encoding?: VoxelEncoding): void {
  const where = "packChunk";
  requireShape(where, "shape", shape, 4);
  requireShape(where, "size", size, 3);
  const isInside = start.every((first, axis) => Number.isSafeInteger(first) && first >= 0 && first + size[axis]! <= shape[axis]!);
  requireOption(isInside, where, "start", `inside ${shape.join("x")} for a box of ${size.join("x")}`, start);
  requireElements(where, "input", input, elementCount(shape));
  requireOption(!encoding || input instanceof Float32Array, where, "encoding", "of float32 voxels", input.constructor.name);
  const bytes = elementCount(size) * shape[3] * (encoding ? ENCODED_BYTES : input.BYTES_PER_ELEMENT);
  requireElements(where, "output", output, bytes + CHECKSUM_BYTES);
  requireSeparate(where, input, output);
  const addon = native();
  if (addon?.packChunk) addon.packChunk(input, shape, start, size, output, ...encodingArguments(encoding));
  else packChunkReference(input, shape, start, size, output, encoding);
}
