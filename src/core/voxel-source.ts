import type { Dtype, DtypeArrays } from "./dtype.js";
import type { Geometry } from "./geometry.js";
import type { Shape4, Triple } from "./shape.js";

/** Voxels that need not be in memory: a volume, or a stored case of which a crop reads only the chunks it touches. */
export interface VoxelSource<D extends Dtype = Dtype> {
  readonly dtype: D;
  readonly shape: Shape4;
  readonly geometry: Geometry;
  /** Bytes of the whole, in memory or not. */
  readonly byteLength: number;
  /** Present on stored sources: copies the box that starts at `start` (inside the volume) into `target`, C order, channels included. */
  readRegion?(start: Triple, size: Triple, target: DtypeArrays[D]): void;
  /** Present on stored sources that can be made again, after `readRegion` has found them damaged: resolves when they are whole, or rejects with the reason. */
  mend?(signal?: AbortSignal): Promise<void>;
  retain(): this;
  release(): void;
}
