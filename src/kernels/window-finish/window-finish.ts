import { requireOption, VoxError } from "../../core/errors.js";
import { native } from "../native.js";
import { requireElements } from "../require-elements.js";
import { windowFinishReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    windowFinish?(sum: Float32Array, weightSum: Float32Array, output: Float32Array, channels: number): number;
  }
}

/**
 * output = sum/weightSum: the weighted mean of all windows at each voxel. `output` may be `sum`. No extra memory.
 *
 * @shape sum (…, channels), weightSum (…) → (…, channels)
 * @throws `ERR_DATA` when a voxel was covered by no window; `ERR_SHAPE` when lengths do not fit
 */
export function windowFinish(sum: Float32Array, weightSum: Float32Array, output: Float32Array, channels: number): void {
  const where = "windowFinish";
  requireOption(Number.isSafeInteger(channels) && channels >= 1, where, "channels", ">= 1", channels);
  requireElements(where, "sum", sum, weightSum.length * channels);
  requireElements(where, "output", output, sum.length);
  const addon = native();
  const uncovered = addon?.windowFinish
    ? addon.windowFinish(sum, weightSum, output, channels)
    : windowFinishReference(sum, weightSum, output, channels);
  if (uncovered > 0) throw new VoxError(`windows must cover every voxel, got ${uncovered} without any`, { code: "ERR_DATA", where });
}
