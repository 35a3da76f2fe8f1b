import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import type { Hounsfield } from "../../core/units.js";
import { transform } from "../transform.js";

export interface WindowLevelOptions {
  /** Center of the window. */
  readonly level: Hounsfield;
  /** Full width of the window; > 0. */
  readonly width: Hounsfield;
}

/**
 * (x - (`level` - `width`/2)) / `width`, kept in [0, 1]: a CT intensity window.
 *
 * @shape image (D, H, W, C) → same
 * @units in HU, out unitless in [0, 1]
 * @label unchanged
 * @throws `ERR_OPTION` when `level` is not finite or `width` is not > 0
 * @source DICOM PS3.3 C.11.2.1.3.2, VOI LUT function LINEAR_EXACT
 * @example
 * samples.pipe(windowLevel({ level: 40, width: 400 })) // abdominal soft tissue
 */
export function windowLevel(options: WindowLevelOptions): OperatorFunction<Sample, Sample> {
  requireKnownOptions("windowLevel", options, ["level", "width"]);
  const { level, width } = options;
  requireOption(Number.isFinite(level), "windowLevel", "level", "a finite number of HU", level);
  requireOption(Number.isFinite(width) && width > 0, "windowLevel", "width", "> 0 HU", width);
  return transform({ name: "windowLevel", parameters: { level, width } });
}
