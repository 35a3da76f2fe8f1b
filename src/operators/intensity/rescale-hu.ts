import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import { transform } from "../transform.js";

export interface RescaleHUOptions {
  /** Default 1. */
  readonly slope?: number;
  /** Default -1024, most CT scanners'. */
  readonly intercept?: number;
  /** Stored value with which scanners mark what lies outside their circle; it counts as stored 0. "none" leaves all values alone. Default -2000. */
  readonly padding?: number | "none";
}

/**
 * `slope`·x + `intercept` for every voxel, and `intercept` for voxels that hold `padding`. Only for files with stored values: NIfTI and DICOM files that
 * name their own slope and intercept are in HU as soon as they are loaded.
 *
 * @shape image (D, H, W, C) → same
 * @units in stored values, out HU
 * @label unchanged
 * @throws `ERR_OPTION` when a number is not finite or the slope is 0
 * @source DICOM PS3.3 C.11.1, modality LUT; MIScnn 1.4, subfunctions/transform_HU.py (padding)
 * @example
 * samples.pipe(rescaleHU(), windowLevel({ level: -300, width: 1400 })) // MIScnn's TransformHU
 */
export function rescaleHU(options: RescaleHUOptions = {}): OperatorFunction<Sample, Sample> {
  requireKnownOptions("rescaleHU", options, ["slope", "intercept", "padding"]);
  const { slope = 1, intercept = -1024, padding = -2000 } = options;
  requireOption(Number.isFinite(slope) && slope !== 0, "rescaleHU", "slope", "a finite number other than 0", slope);
  requireOption(Number.isFinite(intercept), "rescaleHU", "intercept", "a finite number", intercept);
  requireOption(padding === "none" || Number.isFinite(padding), "rescaleHU", "padding", 'a finite number or "none"', padding);
  return transform({ name: "rescaleHU", parameters: { slope, intercept, padding: padding === "none" ? null : padding } });
}
