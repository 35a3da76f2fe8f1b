import { Arenas, PAGE } from "./arenas.js";
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

let prepare: (arena: SharedArrayBuffer) => void = () => {};

/** Sets what is done with each new arena of any pool before anything is written there; core itself knows of no addon that could do anything. */
export function prepareArenas(action: (arena: SharedArrayBuffer) => void): void {
  prepare = action;
}

/**
 * Hands out pieces of SharedArrayBuffers and takes them back. V8 does not count shared memory as garbage pressure, so fresh buffers grow a process
 * without limit; arenas that are carved up and merged again keep it at the high-water mark. The system commits a page when it is first touched.
 */
export class SlabPool {
  readonly budget: number;
  private readonly arenas: Arenas;
  private used = 0;
  private peak = 0;
  private readonly waiting = new Set<() => void>();

  constructor({ budget, arenaBytes = 1024 ** 3, ...unknown }: SlabPoolOptions) {
    requireKnownOptions("SlabPool", unknown, ["budget", "arenaBytes"]);
    requireOption(budget > 0, "slabPool", "budget", "> 0 bytes", budget);
    this.budget = budget;
    this.arenas = new Arenas({ budget, arenaBytes: Math.min(arenaBytes, budget) }, (bytes) => {
      const arena = new SharedArrayBuffer(bytes);
      prepare(arena);
      return arena;
    });
  }

  get bytesInUse(): number {
    return this.used;
  }

  get peakBytes(): number {
    return this.peak;
  }

  /** Bytes taken from the system so far. */
  get bytesReserved(): number {
    return this.arenas.reserved;
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
    if (sizes.length === 1) return this.arenas.hasRoom(sizes[0]!);
    const tried = this.arenas.copy();
    return sizes.every((size) => tried.take(size) !== undefined);
  }

  /** @throws `ERR_MEMORY` when the budget is used up: a stage that may wait asks first. */
  allocate(bytes: number): Slab {
    const size = rounded(bytes);
    const piece = this.arenas.take(size);
    if (!piece) {
      throw new VoxError(
        `an allocation of ${formatBytes(bytes)} must fit the memory budget of ${formatBytes(this.budget)}, of which ${formatBytes(this.used)} are in use`,
        { code: "ERR_MEMORY", where: "slabPool" },
      );
    }
    this.used += size;
    this.peak = Math.max(this.peak, this.used);
    return { buffer: piece.arena.buffer!, byteOffset: piece.offset, byteLength: bytes };
  }

  give(slab: Slab): void {
    const arena = this.arenas.find(slab.buffer);
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
}

function rounded(bytes: number): number {
  return Math.max(PAGE, Math.ceil(bytes / PAGE) * PAGE);
}
