import { closeSync, fstatSync, openSync, statfsSync } from "node:fs";
import { reserveFile } from "../kernels/reserve-file/reserve-file.js";

/** What is smaller is written as fast as its room is reserved. */
const LEAST_BYTES = 1024 ** 2;
/** LMDB's pages, whole ones for each value, and its trees take more room than the values alone. */
const PAGES = 1.05;

/** Of a disk that is nearly full, room for what may not need it would be taken from others. */
const FREE_TIMES = 8;

/**
 * Reserves room behind the end of a file for `bytes` that are about to be written. Only a matter of speed: where that cannot be, writing finds its room itself,
 * and room that is not used, since LMDB had free pages, serves what is written next.
 */
export function reserveRoom(path: string, bytes: number): void {
  if (bytes < LEAST_BYTES) return;
  try {
    const { bavail, bsize } = statfsSync(path);
    if (bavail * bsize < FREE_TIMES * bytes) return;
    // POSIX drops a process's locks when any descriptor of the file is closed; LMDB's locks are on another file.
    const descriptor = openSync(path, "r+");
    try {
      reserveFile(descriptor, fstatSync(descriptor).size, Math.ceil(bytes * PAGES));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Such as a folder that was moved while the file is open.
  }
}
