import { constants, gunzipSync } from "node:zlib";
import { errorMessage, VoxError } from "../core/errors.js";

/** Deflate cannot do better than 1032 bytes out of one byte in. */
export const MAX_DEFLATE_RATIO = 1032;

export function isGzip(firstBytes: Uint8Array): boolean {
  return firstBytes.length >= 2 && firstBytes[0] === 0x1f && firstBytes[1] === 0x8b;
}

/** What can be decompressed from the first part of a gzip file, without complaint about its end. */
export function gunzipPrefix(path: string, prefix: Uint8Array): Uint8Array {
  try {
    return gunzipSync(prefix, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw gzipError(path, error);
  }
}

/** Whether Node's zlib may have met bytes behind a member that are neither zeros nor another member: it takes them for one, which is wrong or too short. */
export function isTrailingBytes(error: unknown): boolean {
  return /incorrect header check|unexpected end of file/.test(errorMessage(error));
}

/** zlib's errors in our words. */
export function gzipError(path: string, cause: unknown, wrap: "gzip" | "zlib" = "gzip"): VoxError {
  const reason = errorMessage(cause);
  if (/unexpected end of file/.test(reason)) {
    return new VoxError(`the ${wrap} data must be complete, got the end of the file in the middle of it`, {
      code: "ERR_TRUNCATED",
      where: path,
      cause,
    });
  }
  if (/incorrect data check/.test(reason)) {
    const sum = wrap === "gzip" ? "CRC-32" : "Adler-32";
    return new VoxError(`the ${wrap} checksum (${sum}) must fit the data, got another one`, { code: "ERR_CHECKSUM", where: path, cause });
  }
  if (/incorrect length check/.test(reason))
    return new VoxError("the gzip length field must fit the data, got another one", { code: "ERR_CHECKSUM", where: path, cause });
  return new VoxError(`the file must hold valid ${wrap} data, got ${reason}`, { code: "ERR_FORMAT", where: path, cause });
}
