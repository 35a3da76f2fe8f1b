import { DTYPE_BYTES } from "../core/dtype.js";
import { elementCount } from "../core/shape.js";
import { CHECKSUM_BYTES } from "../kernels/pack-chunk/pack-chunk.js";
import { ENCODED_BYTES } from "../kernels/voxel-encoding/voxel-encoding.js";
import type { ArrayRecord } from "./case-record.js";
import { chunkCount, chunkGrid } from "./chunk-grid.js";

/** Bytes of one element in the store. */
export function storedElementBytes({ dtype, encoding }: Pick<ArrayRecord, "dtype" | "encoding">): number {
  return encoding ? ENCODED_BYTES : DTYPE_BYTES[dtype];
}

/** Bytes of an array in the store, checksums included. */
export function storedBytes(record: Pick<ArrayRecord, "dtype" | "encoding" | "shape">): number {
  const size = storedElementBytes(record);
  return elementCount(record.shape) * size + chunkCount(chunkGrid(record.shape, size)) * CHECKSUM_BYTES;
}
