import type { Dtype, DtypeArrays } from "../core/dtype.js";

/** A typed array of any element type that a volume can have. */
export type VoxelArray = DtypeArrays[Dtype];
