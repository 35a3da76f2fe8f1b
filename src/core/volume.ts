import { Block } from "./block.js";
import type { Dtype, DtypeArrays } from "./dtype.js";
import { VoxError } from "./errors.js";
import { axisAligned, type Geometry } from "./geometry.js";
import { elementCount, formatShape, type Shape4 } from "./shape.js";
import type { Slab, SlabPool } from "./slab-pool.js";
import type { VoxelSource } from "./voxel-source.js";

/** Voxels with their place in space: `[depth, height, width, channels]` in C order. */
export class Volume<D extends Dtype = Dtype> extends Block<D> implements VoxelSource<D> {
  declare readonly shape: Shape4;

  constructor(
    dtype: D,
    shape: Shape4,
    readonly geometry: Geometry,
    view: DtypeArrays[D],
    loan?: { readonly pool: SlabPool; readonly slab: Slab },
  ) {
    super(dtype, shape, view, loan);
  }

  /** A volume in pooled shared memory; its content is whatever was there before. */
  static create<D extends Dtype>(pool: SlabPool, dtype: D, shape: Shape4, geometry: Geometry): Volume<D> {
    return new Volume(dtype, shape, geometry, ...Block.borrow(pool, dtype, shape));
  }

  /** A volume over an array of the caller's, outside any pool. */
  static of<D extends Dtype>(dtype: D, shape: Shape4, data: DtypeArrays[D], geometry: Geometry = axisAligned()): Volume<D> {
    if (data.length !== elementCount(shape)) {
      throw new VoxError(`data must have ${elementCount(shape)} elements for shape ${formatShape(shape)}, got ${data.length}`, {
        code: "ERR_SHAPE",
        where: "volume",
      });
    }
    return new Volume(dtype, shape, geometry, data);
  }

  load(): DtypeArrays[D] {
    return this.data;
  }
}
