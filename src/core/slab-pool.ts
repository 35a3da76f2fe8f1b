import { formatBytes } from "./bytes.js";
import { requireOption, VoxError } from "./errors.js";
import { requireKnownOptions } from "./require-known-options.js";

/** A piece of shared memory on loan from the pool. */
export interface Slab {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface SlabPoolOptions {
  /** Most bytes that the pool ever holds. */
  readonly budget: number;
  /** Bytes reserved at a time, by default the budget and 1 GiB at most; the system gives them page by page. Larger requests get an arena of their own size. */
  readonly arenaBytes?: number;
}

interface Span {
  offset: number;
  length: number;
}

class Arena {
  readonly buffer: SharedArrayBuffer;
  /** Free spans in order of offset; neighbors are always merged. */
  readonly free: Span[];

  constructor(bytes: number) {
    this.buffer = new SharedArrayBuffer(bytes);
    this.free = [{ offset: 0, length: bytes }];
  }

  /** Index of the smallest free span that holds `bytes`, or -1. */
  bestFit(bytes: number): number {
    let best = -1;
    for (let i = 0; i < this.free.length; i++) {
      const { length } = this.free[i]!;
      if (length >= bytes && (best < 0 || length < this.free[best]!.length)) best = i;
    }
    return best;
  }

  get isIdle(): boolean {
    return this.free[0]?.length === this.buffer.byteLength;
  }

  /** Large pieces come from the beginning of a span and small ones from its end: patches that stay for long would else lie scattered where cases must fit. */
  take(index: number, bytes: number): number {
    const span = this.free[index]!;
    const { offset, length } = span;
    if (length === bytes) {
      this.free.splice(index, 1);
      return offset;
    }
    span.length -= bytes;
    if (bytes < this.buffer.byteLength / SMALL) return offset + span.length;
    span.offset += bytes;
    return offset;
  }

  give(offset: number, length: number): void {
    let i = 0;
    while (i < this.free.length && this.free[i]!.offset < offset) i++;
    this.free.splice(i, 0, { offset, length });
    const next = this.free[i + 1];
    if (next && offset + length === next.offset) {
      this.free[i]!.length += next.length;
      this.free.splice(i + 1, 1);
    }
    const previous = this.free[i - 1];
    if (previous && previous.offset + previous.length === offset) {
      previous.length += this.free[i]!.length;
      this.free.splice(i, 1);
    }
  }
}

const PAGE = 4096;
/** Pieces below this part of an arena are small. */
const SMALL = 16;

/**
 * Hands out pieces of SharedArrayBuffers and takes them back. V8 does not count shared memory as garbage pressure, so fresh buffers grow a process
 * without limit; arenas that are carved up and merged again keep it at the high-water mark. The system commits a page when it is first touched.
 */
export class SlabPool {
  readonly budget: number;
  private readonly arenaBytes: number;
  private readonly arenas: Arena[] = [];
  private reserved = 0;
  private used = 0;
  private peak = 0;
  private readonly waiting = new Set<() => void>();

  constructor({ budget, arenaBytes = 1024 ** 3, ...unknown }: SlabPoolOptions) {
    requireKnownOptions("SlabPool", unknown, ["budget", "arenaBytes"]);
    requireOption(budget > 0, "slabPool", "budget", "> 0 bytes", budget);
    this.budget = budget;
    this.arenaBytes = Math.min(arenaBytes, budget);
  }

  get bytesInUse(): number {
    return this.used;
  }

  get peakBytes(): number {
    return this.peak;
  }

  /** Bytes taken from the system so far. */
  get bytesReserved(): number {
    return this.reserved;
  }

  /**
   * Whether `bytes` could be allocated now with `spare` bytes of the budget left over; if not, `retry` is called once after memory came back. Several numbers
   * are pieces that need not lie side by side. A question, not a reservation: who starts several jobs before they allocate asks with what it promised to the
   * others as `spare`.
   */
  ask(bytes: number | readonly number[], retry: () => void, spare = 0): boolean {
    const sizes = typeof bytes === "number" ? [rounded(bytes)] : bytes.map(rounded);
    const size = sizes.reduce((sum, one) => sum + one, 0);
    if (this.used + size + spare <= this.budget && this.fits(sizes)) return true;
    this.waiting.add(retry);
    return false;
  }

  /** Whether `allocate` would find room for all these pieces, in this order. */
  private fits(sizes: readonly number[]): boolean {
    const arenas = this.arenas.map((arena) => ({
      lengths: arena.free.map(({ length }) => length),
      bytes: arena.buffer.byteLength,
      isIdle: arena.isIdle,
    }));
    let { room } = this;
    return sizes.every((size) => {
      let chosen: (typeof arenas)[number] | undefined;
      let index = -1;
      for (const arena of arenas) {
        arena.lengths.forEach((length, at) => {
          if (length >= size && (chosen === undefined || length < chosen.lengths[index]!)) {
            chosen = arena;
            index = at;
          }
        });
      }
      if (!chosen) {
        // As `makeRoom` does.
        const idle = arenas.reduce((sum, arena) => (arena.isIdle ? sum + arena.bytes : sum), 0);
        if (size > room + idle) return false;
        for (let i = arenas.length - 1; i >= 0 && size > room; i--) if (arenas[i]!.isIdle) room += arenas.splice(i, 1)[0]!.bytes;
        const bytes = this.arenaLength(size, room);
        chosen = { lengths: [bytes], bytes, isIdle: true };
        index = 0;
        arenas.push(chosen);
        room -= bytes;
      }
      chosen.lengths[index]! -= size;
      chosen.isIdle = false;
      return true;
    });
  }

  /** @throws `ERR_MEMORY` when the budget is used up: a stage that may wait asks first. */
  allocate(bytes: number): Slab {
    const size = rounded(bytes);
    let chosen: Arena | undefined;
    let index = -1;
    for (const arena of this.arenas) {
      const fit = arena.bestFit(size);
      if (fit >= 0 && (chosen === undefined || arena.free[fit]!.length < chosen.free[index]!.length)) {
        chosen = arena;
        index = fit;
      }
    }
    if (chosen === undefined) {
      this.makeRoom(size);
      const { room } = this;
      if (size > room) {
        throw new VoxError(
          `an allocation of ${formatBytes(bytes)} must fit the memory budget of ${formatBytes(this.budget)}, of which ${formatBytes(this.used)} are in use`,
          { code: "ERR_MEMORY", where: "slabPool" },
        );
      }
      chosen = new Arena(this.arenaLength(size, room));
      index = 0;
      this.arenas.push(chosen);
      this.reserved += chosen.buffer.byteLength;
    }
    const byteOffset = chosen.take(index, size);
    this.used += size;
    this.peak = Math.max(this.peak, this.used);
    return { buffer: chosen.buffer, byteOffset, byteLength: bytes };
  }

  give(slab: Slab): void {
    const arena = this.arenas.find((a) => a.buffer === slab.buffer);
    if (!arena) throw new VoxError("a slab must come back to the pool that it came from", { code: "ERR_PROTOCOL", where: "slabPool" });
    const size = rounded(slab.byteLength);
    arena.give(slab.byteOffset, size);
    this.used -= size;
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const retry of waiting) retry();
  }

  /**
   * Divides a slab: pieces of these sizes are on loan one by one from then on, and what is left comes back. Nobody who waits for memory gets in between.
   *
   * @throws `ERR_MEMORY` when the pieces do not fit, each rounded up to whole pages; the slab stays as it was then
   */
  divide(slab: Slab, sizes: readonly number[]): Slab[] {
    const whole = rounded(slab.byteLength);
    let done = 0;
    const pieces = sizes.map((byteLength): Slab => {
      const piece = { buffer: slab.buffer, byteOffset: slab.byteOffset + done, byteLength };
      done += rounded(byteLength);
      return piece;
    });
    if (done > whole) {
      throw new VoxError(`the pieces of a slab must fit its ${formatBytes(whole)}, got ${formatBytes(done)}`, {
        code: "ERR_MEMORY",
        where: "slabPool",
      });
    }
    if (done < whole) this.give({ buffer: slab.buffer, byteOffset: slab.byteOffset + done, byteLength: whole - done });
    return pieces;
  }

  /** Bytes that may still be taken from the system. */
  private get room(): number {
    return this.budget - this.reserved;
  }

  /** Of a new arena for a piece: whole pages, so that pieces taken from its end begin at a page, too. */
  private arenaLength(size: number, room: number): number {
    return Math.max(size, Math.floor(Math.min(this.arenaBytes, room) / PAGE) * PAGE);
  }

  /** Bytes of arenas of which nothing is on loan. */
  private idleBytes(): number {
    return this.arenas.reduce((sum, arena) => (arena.isIdle ? sum + arena.buffer.byteLength : sum), 0);
  }

  /** Gives idle arenas back to the system when a request is larger than each of them, so that small arenas cannot lock the budget up. */
  private makeRoom(size: number): void {
    if (size <= this.room || size > this.room + this.idleBytes()) return;
    for (let i = this.arenas.length - 1; i >= 0 && size > this.room; i--) {
      const arena = this.arenas[i]!;
      if (!arena.isIdle) continue;
      this.arenas.splice(i, 1);
      this.reserved -= arena.buffer.byteLength;
    }
  }
}

function rounded(bytes: number): number {
  return Math.max(PAGE, Math.ceil(bytes / PAGE) * PAGE);
}
