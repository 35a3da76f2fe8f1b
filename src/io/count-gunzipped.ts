import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { gzipError } from "./is-gzip.js";

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
    throw gzipError(path, error);
  } finally {
    file.destroy();
    gunzip.destroy();
  }
  return count;
}
