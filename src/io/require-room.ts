import { open } from "node:fs/promises";
import { VoxError } from "../core/errors.js";
import { countGunzipped } from "./count-gunzipped.js";
import { MAX_DEFLATE_RATIO } from "./is-gzip.js";
import type { CompressedStream } from "./volume-format.js";

export interface RequireRoomOptions {
  /** The file of the voxels. */
  readonly path: string;
  /** Its length. */
  readonly fileBytes: number;
  /** Bytes of header and voxels, decompressed. */
  readonly needed: number;
  /** For the message. */
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly stream?: CompressedStream;
}

/** A zlib stream does not tell its length; what does not expand further than scans do is taken for what it says. */
const USUAL_RATIO = 4;

/**
 * A header must not make anyone allocate what the file cannot hold. For a gzip file that is the length in its trailer; when that is too small, the file may
 * have several members, be cut, or lie, and is decompressed once without keeping anything.
 *
 * @throws `ERR_TRUNCATED` with the bytes that are needed and there
 */
export async function requireRoom({ path, fileBytes, needed, shape, dtype, stream }: RequireRoomOptions): Promise<void> {
  const lacks = (there: string): VoxError =>
    new VoxError(`the file must have ${needed} bytes for its header and ${shape.join("x")} ${dtype} voxels, got ${there}`, {
      code: "ERR_TRUNCATED",
      where: path,
    });
  if (!stream) {
    if (needed > fileBytes) throw lacks(`${fileBytes}`);
    return;
  }
  const compressed = Math.max(0, fileBytes - stream.start);
  const most = compressed * MAX_DEFLATE_RATIO;
  if (needed > most) throw lacks(`at most ${most} (${compressed} compressed)`);
  if (stream.wrap === "zlib") {
    if (needed <= USUAL_RATIO * compressed) return;
  } else {
    const trailer = await lastLength(path, fileBytes);
    if (trailer >= needed || (needed >= 2 ** 32 && trailer === needed % 2 ** 32)) return;
  }
  const there = await countGunzipped(path, needed, stream);
  if (there < needed) throw lacks(`${there}`);
}

/** The length that the last member of a gzip file gives for itself, modulo 2^32. */
async function lastLength(path: string, fileBytes: number): Promise<number> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, Math.max(0, fileBytes - 4));
    return bytesRead === 4 ? buffer.readUInt32LE(0) : 0;
  } finally {
    await file.close();
  }
}
