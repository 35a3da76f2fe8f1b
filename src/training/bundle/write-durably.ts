import { open } from "node:fs/promises";
import { VoxError } from "../../core/errors.js";
import { reasonOf } from "../../io/read-error.js";

/**
 * Writes a file and waits until it is on the disk.
 *
 * @throws `ERR_WRITE`
 */
export async function writeDurably(path: string, ...parts: readonly (string | Uint8Array)[]): Promise<void> {
  try {
    const file = await open(path, "w");
    try {
      for (const part of parts) {
        const bytes = typeof part === "string" ? Buffer.from(part) : part;
        // A write may be cut short (disk nearly full, signals).
        for (let done = 0; done < bytes.byteLength; ) done += (await file.write(bytes, done)).bytesWritten;
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new VoxError(`the file cannot be written: ${reasonOf(error)}`, { code: "ERR_WRITE", where: path, cause: error });
  }
}
