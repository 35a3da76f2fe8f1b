import type { VoxelEncoding } from "./voxel-encoding.js";

type EncodingArguments = readonly [form: 0 | 1 | 2, scale: Float64Array | undefined, offset: Float64Array | undefined];

/** An encoding as the addon's functions take it. */
export function encodingArguments(encoding: VoxelEncoding | undefined): EncodingArguments {
  if (!encoding) return [0, undefined, undefined];
  if (encoding.form === "float16") return [2, undefined, undefined];
  return [1, Float64Array.from(encoding.scale), Float64Array.from(encoding.offset)];
}
