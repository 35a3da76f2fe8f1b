import { requireOption, VoxError } from "../../core/errors.js";
import { native } from "../native.js";
import { percentilesReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    percentiles?(values: Float32Array, ranks: Float64Array): Float64Array;
  }
}

/**
 * The values below which `ranks` percent of `values` lie, linear between neighbors (numpy's default). Voxels are finite.
 * Extra memory: 512 KiB of counters (native), a copy of the values (fallback).
 *
 * @throws `ERR_OPTION` when a rank is outside [0, 100]; `ERR_EMPTY` without values
 * @source numpy.percentile, method "linear" (Hyndman & Fan 1996, definition 7)
 */
export function percentiles(values: Float32Array, ranks: readonly number[]): number[] {
  for (const rank of ranks) requireOption(rank >= 0 && rank <= 100, "percentiles", "ranks", "in [0, 100]", rank);
  if (values.length === 0) throw new VoxError("values must not be empty, got 0 voxels", { code: "ERR_EMPTY", where: "percentiles" });
  const addon = native();
  return addon?.percentiles ? [...addon.percentiles(values, Float64Array.from(ranks))] : percentilesReference(values, ranks);
}
