import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createGunzip, createInflate } from "node:zlib";
import { gunzipMembers } from "./gunzip-members.js";
import { gzipError, isTrailingBytes } from "./is-gzip.js";
import type { CompressedStream } from "./volume-format.js";

/** Decompressed length of a gzip file (or of another compressed part of a file), or `enough` when it is at least that; holds a few buffers only. */
export async function countGunzipped(path: string, enough: number, { start, wrap }: CompressedStream = { start: 0, wrap: "gzip" }): Promise<number> {
  const file = createReadStream(path, { start });
  const gunzip = (wrap === "zlib" ? createInflate : createGunzip)({ chunkSize: 256 * 1024 });
  file.on("error", (error) => gunzip.destroy(error));
  let count = 0;
  try {
    for await (const chunk of file.pipe(gunzip)) {
      count += (chunk as Uint8Array).length;
      if (count >= enough) return enough;
    }
  } catch (error) {
    if (wrap === "gzip" && isTrailingBytes(error)) return countMembers(path, enough, start);
    throw gzipError(path, error, wrap);
  } finally {
    file.destroy();
    gunzip.destroy();
  }
  return count;
}

async function countMembers(path: string, enough: number, start: number): Promise<number> {
  const bytes = (await readFile(path)).subarray(start);
  try {
    return Math.min(enough, gunzipMembers(bytes, enough).length);
  } catch (error) {
    // More than was asked for is enough.
    if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") return enough;
    throw gzipError(path, error);
  }
}
