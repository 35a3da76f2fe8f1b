import { crc32 } from "node:zlib";
import type { Shape4, Triple } from "../../core/shape.js";
import type { VoxelArray } from "../voxel-array.js";
import { float16 } from "../voxel-encoding/float16.js";
import type { VoxelEncoding } from "../voxel-encoding/voxel-encoding.js";

/** Row by row, then the checksum of what was written. */
export function packChunkReference(
  input: VoxelArray,
  [, height, width, channels]: Shape4,
  start: Triple,
  size: Triple,
  output: Uint8Array,
  encoding?: VoxelEncoding,
): void {
  const row = size[2] * channels;
  const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
  let at = 0;
  for (let z = 0; z < size[0]; z++) {
    for (let y = 0; y < size[1]; y++) {
      const from = (((start[0] + z) * height + start[1] + y) * width + start[2]) * channels;
      const voxels = input.subarray(from, from + row);
      if (!encoding) {
        output.set(new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength), at);
        at += voxels.byteLength;
        continue;
      }
      for (let i = 0; i < row; i++, at += 2) view.setUint16(at, encoded(voxels[i]!, i % channels, encoding), true);
    }
  }
  view.setUint32(at, crc32(output.subarray(0, at)), true);
}

function encoded(x: number, channel: number, encoding: VoxelEncoding): number {
  if (encoding.form === "float16") return float16.encode(x);
  const q = Math.floor((x - encoding.offset[channel]!) / encoding.scale[channel]! + 0.5);
  return Math.max(0, Math.min(65535, q));
}
