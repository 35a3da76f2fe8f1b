/** Pieces are whole pages. */
export const PAGE = 4096;
/** Pieces below this part of an arena are small. */
const SMALL = 16;

interface Span {
  offset: number;
  length: number;
}

/** One stretch of memory that is carved up. */
export class Arena {
  constructor(
    readonly bytes: number,
    /** Absent where only the accounts are tried. */
    readonly buffer: SharedArrayBuffer | undefined,
    /** Free spans in order of offset; neighbors are always merged. */
    private readonly free: Span[] = [{ offset: 0, length: bytes }],
  ) {}

  copy(): Arena {
    return new Arena(
      this.bytes,
      this.buffer,
      this.free.map(({ offset, length }) => ({ offset, length })),
    );
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

  lengthOf(index: number): number {
    return this.free[index]!.length;
  }

  get isIdle(): boolean {
    return this.free[0]?.length === this.bytes;
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
    if (bytes < this.bytes / SMALL) return offset + span.length;
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

/** Where a piece lies. */
export interface Piece {
  readonly arena: Arena;
  readonly offset: number;
}

/** Bounds of a list of arenas. */
export interface ArenaLimits {
  /** Most bytes of all arenas together. */
  readonly budget: number;
  /** Bytes of an arena, unless a piece is larger or less is left. */
  readonly arenaBytes: number;
}

/** The arenas of a pool: which of them a piece comes from, when a new one is made, and which make way for it. On a copy of it the same can be tried first. */
export class Arenas {
  /** Bytes of all arenas. */
  reserved = 0;
  private readonly list: Arena[] = [];

  constructor(
    private readonly limits: ArenaLimits,
    private readonly make: (bytes: number) => SharedArrayBuffer | undefined,
  ) {}

  /** Takes no memory, whatever is taken of it. */
  copy(): Arenas {
    const copied = new Arenas(this.limits, () => undefined);
    for (const arena of this.list) copied.list.push(arena.copy());
    copied.reserved = this.reserved;
    return copied;
  }

  /** Whether `take` would find room for one such piece. */
  hasRoom(size: number): boolean {
    return this.list.some((arena) => arena.bestFit(size) >= 0) || size <= this.room + this.idleBytes();
  }

  /** The smallest free span of all that holds so many whole pages; else of a new arena, for which idle ones make way; undefined where there is no room. */
  take(size: number): Piece | undefined {
    let chosen: Arena | undefined;
    let index = -1;
    for (const arena of this.list) {
      const fit = arena.bestFit(size);
      if (fit >= 0 && (chosen === undefined || arena.lengthOf(fit) < chosen.lengthOf(index))) {
        chosen = arena;
        index = fit;
      }
    }
    if (chosen === undefined) {
      chosen = this.grow(size);
      index = 0;
    }
    return chosen && { arena: chosen, offset: chosen.take(index, size) };
  }

  /** The arena of a buffer. */
  find(buffer: SharedArrayBuffer): Arena | undefined {
    return this.list.find((arena) => arena.buffer === buffer);
  }

  /** Bytes that may still be taken from the system. */
  private get room(): number {
    return this.limits.budget - this.reserved;
  }

  /** Bytes of arenas of which nothing is on loan. */
  private idleBytes(): number {
    return this.list.reduce((sum, arena) => (arena.isIdle ? sum + arena.bytes : sum), 0);
  }

  /** Idle arenas go back to the system when a piece is larger than each of them, so that small arenas cannot lock the budget up. */
  private grow(size: number): Arena | undefined {
    if (size > this.room + this.idleBytes()) return undefined;
    for (let i = this.list.length - 1; i >= 0 && size > this.room; i--) {
      if (this.list[i]!.isIdle) this.reserved -= this.list.splice(i, 1)[0]!.bytes;
    }
    // Whole pages, so that pieces taken from its end begin at a page, too.
    const bytes = Math.max(size, Math.floor(Math.min(this.limits.arenaBytes, this.room) / PAGE) * PAGE);
    const arena = new Arena(bytes, this.make(bytes));
    this.list.push(arena);
    this.reserved += bytes;
    return arena;
  }
}
