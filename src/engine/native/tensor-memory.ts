import { constants } from "node:buffer";
import { formatBytes } from "../../core/bytes.js";
import { VoxError } from "../../core/errors.js";
import type { NativeAddon } from "../../kernels/native.js";

/** A piece of a slab that one tensor holds. */
export interface Block {
  readonly slab: Slab;
  readonly offset: number;
  readonly bytes: number;
}

interface Slab {
  readonly buffer: ArrayBuffer;
  /** Free pieces by ascending offset, never adjacent. */
  readonly free: { offset: number; bytes: number }[];
  used: number;
}

const ALIGNMENT = 64;
// Only address space until it is touched, and the smallest piece that fits is taken first: a large slab costs nothing and leaves few unusable remainders.
const SLAB_BYTES = 2 ** 30;

/**
 * Memory of large tensors: blocks of slabs that are used again at once when a tensor is disposed of. V8 would keep such memory until a garbage collection
 * that it has no reason to run, and every new array would be zeroed page by page.
 */
export class TensorMemory {
  private slabs: Slab[] = [];

  constructor(private readonly addon: Pick<NativeAddon, "allocateSlab" | "releaseSlab">) {}

  /** Bytes of all slabs, and those that tensors hold. */
  get bytes(): { held: number; used: number } {
    return { held: this.slabs.reduce((sum, { buffer }) => sum + buffer.byteLength, 0), used: this.slabs.reduce((sum, { used }) => sum + used, 0) };
  }

  owns(buffer: ArrayBufferLike): boolean {
    return this.slabs.some((slab) => slab.buffer === buffer);
  }

  /** @throws `ERR_MEMORY` when the system has no more */
  take(bytes: number): Block {
    const size = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    let best: { slab: Slab; index: number; bytes: number } | undefined;
    for (const slab of this.slabs) {
      for (const [index, piece] of slab.free.entries()) {
        if (piece.bytes >= size && (!best || piece.bytes < best.bytes)) best = { slab, index, bytes: piece.bytes };
      }
    }
    best ??= { slab: this.grow(size), index: 0, bytes: 0 };
    const { slab, index } = best;
    const piece = slab.free[index]!;
    const { offset } = piece;
    piece.offset += size;
    piece.bytes -= size;
    if (piece.bytes === 0) slab.free.splice(index, 1);
    slab.used += size;
    return { slab, offset, bytes: size };
  }

  give({ slab, offset, bytes }: Block): void {
    slab.used -= bytes;
    const { free } = slab;
    let next = free.findIndex((piece) => piece.offset > offset);
    if (next < 0) next = free.length;
    const before = free[next - 1];
    const after = free[next];
    const joinsBefore = before !== undefined && before.offset + before.bytes === offset;
    const joinsAfter = after !== undefined && offset + bytes === after.offset;
    if (joinsBefore) {
      before.bytes += bytes + (joinsAfter ? after.bytes : 0);
      if (joinsAfter) free.splice(next, 1);
    } else if (joinsAfter) {
      after.offset = offset;
      after.bytes += bytes;
    } else {
      free.splice(next, 0, { offset, bytes });
    }
  }

  /** Gives slabs that no tensor holds back to the system. */
  trim(): void {
    this.slabs = this.slabs.filter((slab) => {
      if (slab.used > 0) return true;
      this.addon.releaseSlab(slab.buffer);
      return false;
    });
  }

  private grow(bytes: number): Slab {
    if (bytes > constants.MAX_LENGTH) {
      const most = formatBytes(constants.MAX_LENGTH);
      throw new VoxError(`a tensor of ${formatBytes(bytes)} is larger than an array of this version of Node can be (${most})`, {
        code: "ERR_MEMORY",
        where: "native engine",
      });
    }
    // What is empty and yet too small would only add to the peak.
    this.trim();
    const buffer = this.addon.allocateSlab(Math.max(SLAB_BYTES, bytes)) ?? this.addon.allocateSlab(bytes);
    if (!buffer) {
      const { held } = this.bytes;
      throw new VoxError(
        `the engine needs ${formatBytes(bytes)} more for a tensor, and the system has no such memory (it holds ${formatBytes(held)})`,
        {
          code: "ERR_MEMORY",
          where: "native engine",
        },
      );
    }
    const slab: Slab = { buffer, free: [{ offset: 0, bytes: buffer.byteLength }], used: 0 };
    this.slabs.push(slab);
    return slab;
  }
}
