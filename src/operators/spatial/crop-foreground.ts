import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import type { Triple } from "../../core/shape.js";
import { transform } from "../transform.js";

export interface CropForegroundOptions {
  /** A voxel is foreground when it is above this in any channel; "minimum": above the smallest voxel of the channel, as with air of one value. Default "minimum". */
  readonly above?: number | "minimum";
  /** Voxels that stay around the foreground, as far as the sample reaches; one number or [depth, height, width]. Default 0. */
  readonly margin?: number | Triple;
}

/**
 * Cuts to the smallest box that holds all foreground voxels of the image. A sample without any stays whole.
 *
 * @shape image (D, H, W, C) → (D', H', W', C), no larger
 * @units intensities of the image
 * @label cut alike; predictions are background again where was cut
 * @throws `ERR_OPTION` when `above` is not finite or a margin is not a whole number ≥ 0
 * @source MONAI `CropForeground`, nnU-Net `crop_to_nonzero` (behavior)
 * @example
 * samples.pipe(cropForeground({ above: -500, margin: [2, 8, 8] })) // the body in a CT
 */
export function cropForeground(options: CropForegroundOptions = {}): OperatorFunction<Sample, Sample> {
  requireKnownOptions("cropForeground", options, ["above", "margin"]);
  const { above = "minimum", margin = 0 } = options;
  const margins: Triple = typeof margin === "number" ? [margin, margin, margin] : margin;
  const isMargin = Array.isArray(margins) && margins.length === 3 && margins.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
  requireOption(above === "minimum" || Number.isFinite(above), "cropForeground", "above", 'a finite number or "minimum"', above);
  requireOption(isMargin, "cropForeground", "margin", "a whole number >= 0 or three of them", margin);
  return transform({ name: "cropForeground", parameters: { above, margin: margins } });
}
