import { DTYPE_BYTES, type Dtype } from "./dtype.js";
import { elementCount } from "./shape.js";

/** The part of samples and batches that is looked at. */
interface Arrays {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Of arrays that lie in a store and are only named. */
  readonly readRegion?: unknown;
}

/** Bytes of the voxels that a sample or batch holds in memory; 0 for anything else, and for arrays that lie in a store. */
export function voxelBytes(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const { image, label } = value as { readonly image?: Partial<Arrays>; readonly label?: Partial<Arrays> };
  return arrayBytes(image) + arrayBytes(label);
}

function arrayBytes(array: Partial<Arrays> | undefined): number {
  if (typeof array !== "object" || array === null) return 0;
  const { dtype, shape, readRegion } = array;
  const each = dtype === undefined ? undefined : DTYPE_BYTES[dtype];
  return each === undefined || shape === undefined || readRegion !== undefined ? 0 : elementCount(shape) * each;
}
