import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { errorMessage, VoxError } from "../../core/errors.js";
import type { TaskContext } from "../task.js";

const PIECE_BYTES = 1024 ** 2;

/** The task `"hashFile"`: SHA-256 of a file's bytes, in hexadecimal. */
export function hashFile(path: string, { stop }: TaskContext): string {
  const hash = createHash("sha256");
  try {
    const file = openSync(path, "r");
    try {
      const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      for (let count = readSync(file, piece); count > 0 && !stop(); count = readSync(file, piece)) hash.update(piece.subarray(0, count));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new VoxError(`the file must be readable, got ${errorMessage(error)}`, { code: "ERR_READ", where: path, cause: error });
  }
  return hash.digest("hex");
}
