import type { Shape4 } from "../../core/shape.js";
import type { VoxelArray } from "../voxel-array.js";
import { float16 } from "../voxel-encoding/float16.js";
import type { VoxelEncoding } from "../voxel-encoding/voxel-encoding.js";

/** Numbers that describe a box: extents of the chunk, first voxel in the chunk, first voxel in the output, extents of what is copied. */
export const BOX_NUMBERS = 12;

/** Row by row; a chunk may begin at any byte, typed arrays may not. */
export function unpackChunkReference(
  chunk: Uint8Array,
  box: Int32Array,
  output: VoxelArray,
  [, outHeight, outWidth, channels]: Shape4,
  encoding?: VoxelEncoding,
): void {
  const [, height, width, z0, y0, x0, toZ, toY, toX, depth, rows, columns] = box as unknown as number[];
  const bytes = new Uint8Array(output.buffer, output.byteOffset, output.byteLength);
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const size = output.BYTES_PER_ELEMENT;
  const row = columns! * channels;
  for (let z = 0; z < depth!; z++) {
    for (let y = 0; y < rows!; y++) {
      const from = (((z0! + z) * height! + y0! + y) * width! + x0!) * channels;
      const to = (((toZ! + z) * outHeight + toY! + y) * outWidth + toX!) * channels;
      if (!encoding) bytes.set(chunk.subarray(from * size, (from + row) * size), to * size);
      else for (let i = 0; i < row; i++) output[to + i] = decoded(view.getUint16(2 * (from + i), true), i % channels, encoding);
    }
  }
}

function decoded(q: number, channel: number, encoding: VoxelEncoding): number {
  return encoding.form === "float16" ? float16.decode(q) : encoding.offset[channel]! + encoding.scale[channel]! * q;
}
