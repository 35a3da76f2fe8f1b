import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import { transform } from "../transform.js";

export interface ClipOptions {
  /** Smallest intensity that stays; HU for CT. */
  readonly min: number;
  /** Largest intensity that stays. */
  readonly max: number;
}

/**
 * x → min(max(x, `min`), `max`) for every voxel of the image.
 *
 * @shape image (D, H, W, C) → same
 * @units as the image
 * @label unchanged
 * @throws `ERR_OPTION` when a bound is not finite or `min` is not below `max`
 * @source MIScnn 1.4, Clipping
 * @example
 * samples.pipe(clip({ min: -79, max: 304 })) // kidney window of KiTS19
 */
export function clip(options: ClipOptions): OperatorFunction<Sample, Sample> {
  requireKnownOptions("clip", options, ["min", "max"]);
  const { min, max } = options;
  requireOption(Number.isFinite(min), "clip", "min", "a finite number", min);
  requireOption(Number.isFinite(max) && max > min, "clip", "max", `a finite number above min (${min})`, max);
  return transform({ name: "clip", parameters: { min, max } });
}
