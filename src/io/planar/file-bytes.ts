import { readFileSync, statSync } from "node:fs";
import { VoxError } from "../../core/errors.js";
import { readError } from "../read-error.js";

/** Node reads no longer file at once. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * All bytes of a picture's file.
 *
 * @throws `ERR_READ`
 */
export function fileBytes(path: string): Buffer {
  try {
    const info = statSync(path);
    if (info.isDirectory()) throw new VoxError("a picture must be a file, got a folder", { code: "ERR_READ", where: path });
    if (info.size > MOST_BYTES) {
      throw new VoxError(`a picture must be a file below 2 GiB, got ${info.size} bytes`, { code: "ERR_READ", where: path });
    }
    return readFileSync(path);
  } catch (error) {
    throw error instanceof VoxError ? error : readError(path, error);
  }
}
