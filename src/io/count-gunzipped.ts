import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { gunzipMembers } from "./gunzip-members.js";
import { gzipError, isTrailingBytes } from "./is-gzip.js";

/** Decompressed length of a gzip file, or `enough` when it is at least that; holds a few buffers only. */
export async function countGunzipped(path: string, enough: number): Promise<number> {
  const file = createReadStream(path);
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  file.on("error", (error) => gunzip.destroy(error));
  let count = 0;
  try {
    for await (const chunk of file.pipe(gunzip)) {
      count += (chunk as Uint8Array).length;
      if (count >= enough) return enough;
    }
  } catch (error) {
    if (isTrailingBytes(error)) return countMembers(path, enough);
    throw gzipError(path, error);
  } finally {
    file.destroy();
    gunzip.destroy();
  }
  return count;
}

async function countMembers(path: string, enough: number): Promise<number> {
  const bytes = await readFile(path);
  try {
    return Math.min(enough, gunzipMembers(bytes, enough).length);
  } catch (error) {
    // More than was asked for is enough.
    if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") return enough;
    throw gzipError(path, error);
  }
}
