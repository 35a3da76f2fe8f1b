import { DTYPE_BYTES, type Dtype, type DtypeArrays, typedView } from "./dtype.js";
import { VoxError } from "./errors.js";
import { elementCount } from "./shape.js";
import type { Slab, SlabPool } from "./slab-pool.js";

/** An array with dtype and shape whose memory is counted: it goes back to its pool when the last holder lets go. */
export class Block<D extends Dtype = Dtype> {
  private holders = 0;
  private view: DtypeArrays[D] | undefined;

  constructor(
    readonly dtype: D,
    readonly shape: readonly number[],
    view: DtypeArrays[D],
    private readonly loan?: { readonly pool: SlabPool; readonly slab: Slab },
  ) {
    this.view = view;
  }

  /** A block in pooled shared memory; its content is whatever was there before. */
  static allocate<D extends Dtype>(pool: SlabPool, dtype: D, shape: readonly number[]): Block<D> {
    return new Block(dtype, shape, ...Block.borrow(pool, dtype, shape));
  }

  /** Memory for a block or a subclass of it. */
  protected static borrow<D extends Dtype>(pool: SlabPool, dtype: D, shape: readonly number[]): [DtypeArrays[D], { pool: SlabPool; slab: Slab }] {
    const length = elementCount(shape);
    const slab = pool.allocate(length * DTYPE_BYTES[dtype]);
    return [typedView(dtype, slab.buffer, slab.byteOffset, length), { pool, slab }];
  }

  /** @throws `ERR_RELEASED` after the memory went back to the pool. */
  get data(): DtypeArrays[D] {
    if (this.view === undefined) {
      throw new VoxError("a block must not be used after its release; a plain RxJS operator that stores values keeps them longer than they live", {
        code: "ERR_RELEASED",
        where: "block",
      });
    }
    return this.view;
  }

  get byteLength(): number {
    return elementCount(this.shape) * DTYPE_BYTES[this.dtype];
  }

  get isReleased(): boolean {
    return this.view === undefined;
  }

  /** Whether nobody but the caller holds the block, so that it may be written in place. */
  get isExclusive(): boolean {
    return this.holders <= 1 && this.loan !== undefined;
  }

  retain(): this {
    if (this.view === undefined) void this.data;
    this.holders++;
    return this;
  }

  release(): void {
    if (this.view === undefined) void this.data;
    if (--this.holders > 0 || !this.loan) return;
    this.view = undefined;
    this.loan.pool.give(this.loan.slab);
  }
}
