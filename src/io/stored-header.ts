import { stat } from "node:fs/promises";
import { VoxError } from "../core/errors.js";
import type { Affine } from "../core/geometry.js";
import type { Triple } from "../core/shape.js";
import { STORED_BYTES, type StoredDtype } from "../kernels/decode/reference.js";
import { placedHeader } from "./placed-header.js";
import { readError } from "./read-error.js";
import { requireRoom } from "./require-room.js";
import { usableAffine } from "./usable-affine.js";
import type { CompressedStream, VolumeHeader } from "./volume-format.js";

/** What a header of any format says of voxels that lie one after the other in a file. */
export interface StoredVoxels {
  readonly format: string;
  /** The file of the header. */
  readonly path: string;
  /** The file of the voxels, where it is another. */
  readonly dataPath?: string | undefined;
  /** Extents along i, j, k. */
  readonly extents: Triple;
  readonly dimensions: 2 | 3;
  readonly channels: number;
  readonly channelAxis: 0 | 1 | 2 | 3;
  readonly dtype: StoredDtype;
  readonly littleEndian: boolean;
  /** To RAS+ mm, and what its numbers are called in the file. */
  readonly affine: Affine;
  readonly affineName: string;
  /** First byte of the voxels, behind the decompression; from the end of the file when negative. */
  readonly offset: number;
  readonly stream?: CompressedStream | undefined;
}

/**
 * The header of a volume whose voxels lie one after the other, once it is known that the file can hold them.
 *
 * @throws `ERR_HEADER` for impossible extents or places, `ERR_READ` when the file of the voxels cannot be read, `ERR_TRUNCATED` when it is too short
 */
export async function storedHeader(file: StoredVoxels): Promise<VolumeHeader> {
  const { format, path, dataPath, extents, dimensions, channels, channelAxis, dtype, littleEndian, offset, stream } = file;
  const storedBytes = [...extents, channels].reduce((product, extent) => product * extent, STORED_BYTES[dtype]);
  if (![...extents, channels].every((extent) => Number.isSafeInteger(extent) && extent >= 1) || !Number.isSafeInteger(storedBytes)) {
    throw new VoxError(
      `sizes must be integers of at least 1 and below 2^53 bytes in all, got ${[...extents, channels].join(" x ")} (channels last)`,
      {
        code: "ERR_HEADER",
        where: path,
      },
    );
  }
  const affine = usableAffine(file.affine, file.affineName, path, dimensions);
  const fileBytes = await sizeOf(dataPath ?? path);
  const voxelOffset = offset < 0 ? Math.max(0, fileBytes - storedBytes) : offset;
  const shape = channels > 1 ? [...extents, channels] : extents;
  await requireRoom({ path: dataPath ?? path, fileBytes, needed: voxelOffset + storedBytes, shape, dtype, ...(stream && { stream }) });
  return placedHeader({
    grid: { format, path, shape: extents, dimensions, affine, header: null },
    channels,
    dtype,
    storedBytes,
    littleEndian,
    encoding: {
      compressed: stream !== undefined,
      voxelOffset,
      ...(dataPath !== undefined && { dataPath }),
      ...(stream && { stream }),
      ...(channelAxis !== 3 && { channelAxis }),
    },
  });
}

async function sizeOf(path: string): Promise<number> {
  try {
    const info = await stat(path);
    if (!info.isDirectory()) return info.size;
  } catch (error) {
    throw readError(path, error);
  }
  throw new VoxError("a volume must be a file, got a folder", { code: "ERR_READ", where: path });
}
