import { requireOption } from "../../core/errors.js";
import { native } from "../native.js";
import { requireElements } from "../require-elements.js";
import { clipReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    clip?(input: Float32Array, output: Float32Array, min: number, max: number): void;
  }
}

export interface ClipRange {
  readonly min: number;
  readonly max: number;
}

/**
 * output = min(max(x, min), max). `output` may be `input`. NaN stays NaN. No extra memory.
 *
 * @throws `ERR_OPTION` when `min` > `max`; `ERR_SHAPE` when the lengths differ
 */
export function clip(input: Float32Array, output: Float32Array, { min, max }: ClipRange): void {
  requireOption(min <= max, "clip", "min", "<= max", [min, max]);
  requireElements("clip", "output", output, input.length);
  const addon = native();
  if (addon?.clip) addon.clip(input, output, min, max);
  else clipReference(input, output, min, max);
}
