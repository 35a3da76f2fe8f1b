import { realpathSync } from "node:fs";
import { dropMappedPages } from "../kernels/drop-mapped-pages/drop-mapped-pages.js";

/** Part of the memory of a pool that the map may hold besides. */
const PART = 1 / 16;
const LEAST_BYTES = 16 * 1024 ** 2;
const MOST_BYTES = 1024 ** 3;

/** Bytes of a cache's map that may be resident beside a pool of so many bytes. */
export function mappedBytesOf(poolBytes: number): number {
  return Math.min(MOST_BYTES, Math.max(LEAST_BYTES, Math.floor(PART * poolBytes)));
}

/** Bytes of a pool that, with the map that goes with it, takes so many. */
export function poolBytesWithin(bytes: number): number {
  const mapped = Math.min(MOST_BYTES, Math.max(LEAST_BYTES, Math.ceil((bytes * PART) / (1 + PART))));
  return Math.max(0, bytes - mapped);
}

/**
 * Keeps what is resident of a file's memory map within bounds. Pages that were read stay mapped, and count as memory of the process, although the system could
 * have them back at any time; when the chunks that were read since the last time exceed the limit, all of them go. Reading them again takes a page fault for
 * every 64 KB, and no disk.
 */
export class MappedPages {
  private limit = MOST_BYTES;
  private bytes = 0;
  private readonly chunks = new Map<string, Set<number>>();

  constructor(private readonly path: string) {}

  /** Sets the limit that goes with a pool. */
  keepBeside(poolBytes: number): void {
    this.limit = mappedBytesOf(poolBytes);
    if (this.bytes > this.limit) this.drop();
  }

  /** Notes that a chunk of an array is about to be read. */
  note(array: string, chunk: number, bytes: number): void {
    let seen = this.chunks.get(array);
    if (seen?.has(chunk)) return;
    if (this.bytes + bytes > this.limit && this.bytes > 0) {
      this.drop();
      seen = undefined;
    }
    if (!seen) {
      seen = new Set();
      this.chunks.set(array, seen);
    }
    seen.add(chunk);
    this.bytes += bytes;
  }

  /** Takes all pages of the file out of this process's resident memory. */
  drop(): void {
    if (this.bytes === 0) return;
    this.bytes = 0;
    this.chunks.clear();
    try {
      dropMappedPages(realpathSync(this.path));
    } catch {
      // A folder that was moved or removed meanwhile: the pages stay until the cache is closed.
    }
  }
}
