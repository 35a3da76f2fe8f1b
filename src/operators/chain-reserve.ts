import type { Slab, SlabPool } from "../core/slab-pool.js";

const PAGE = 4096;

/** What the pool takes for so many bytes. */
function rounded(bytes: number): number {
  return Math.max(PAGE, Math.ceil(bytes / PAGE) * PAGE);
}

/**
 * Memory for the steps behind one that looks at voxels first: how much they need is known when it has looked, but nobody else may have taken it by then. So
 * the most that they can need is on loan from the beginning, and what they do not need goes back as soon as that is known.
 */
export class ChainReserve {
  private slab: Slab | undefined;

  /** @throws `ERR_MEMORY` */
  constructor(
    private readonly pool: SlabPool,
    sizes: readonly number[],
  ) {
    const bytes = sizes.reduce((sum, size) => sum + rounded(size), 0);
    if (bytes > 0) this.slab = pool.allocate(bytes);
  }

  /** A piece for each size; `isLast`: nothing more will be taken. Undefined when they do not fit, which a plan that keeps its word never asks for. */
  take(sizes: readonly number[], isLast: boolean): readonly Slab[] | undefined {
    const { slab } = this;
    if (!slab) return undefined;
    const bytes = sizes.reduce((sum, size) => sum + rounded(size), 0);
    if (bytes > slab.byteLength) return undefined;
    const rest = isLast || bytes === slab.byteLength ? [] : [slab.byteLength - bytes];
    const pieces = this.pool.divide(slab, [...sizes, ...rest]);
    this.slab = rest.length > 0 ? pieces.pop() : undefined;
    return pieces;
  }

  release(): void {
    if (this.slab) this.pool.give(this.slab);
    this.slab = undefined;
  }
}
