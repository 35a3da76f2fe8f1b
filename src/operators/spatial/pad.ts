import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import type { Triple } from "../../core/shape.js";
import { transform } from "../transform.js";

export interface PadOptions {
  /** Least extents [depth, height, width]. Default none. */
  readonly minSize?: Triple;
  /** Extents become multiples of it; one number for all axes or one each. Default 1. */
  readonly divisor?: number | Triple;
  /** What new voxels hold: `value`, the nearest voxel, the mirror image, or the smallest voxel of each line. Default "constant". */
  readonly mode?: "constant" | "edge" | "reflect" | "minimum";
  /** For "constant": a number, or "minimum" for the smallest voxel of each channel. Default "minimum": background. */
  readonly value?: number | "minimum";
  /** New voxels of the label map with "constant" and "minimum". Default 0. */
  readonly labelValue?: number;
}

/**
 * Enlarges a sample on both sides until every extent is at least `minSize` and a multiple of `divisor`; never crops. Of an odd number the larger half goes behind.
 *
 * @shape image (D, H, W, C) → (D', H', W', C)
 * @units voxels
 * @label padded alike; predictions are cropped back
 * @throws `ERR_OPTION` when a size or divisor is not a whole number ≥ 1, or the mode is unknown
 * @source batchgenerators `pad_nd_image` (sizes), numpy.pad (modes)
 * @example
 * samples.pipe(pad({ minSize: [80, 160, 160], divisor: 16 }))
 */
export function pad(options: PadOptions): OperatorFunction<Sample, Sample> {
  requireKnownOptions("pad", options, ["minSize", "divisor", "mode", "value", "labelValue"]);
  const { minSize = [1, 1, 1], divisor = 1, mode = "constant", value = "minimum", labelValue = 0 } = options;
  const divisors: Triple = typeof divisor === "number" ? [divisor, divisor, divisor] : divisor;
  const isSize = (size: readonly number[]) => Array.isArray(size) && size.length === 3 && size.every((n) => Number.isSafeInteger(n) && n >= 1);
  requireOption(isSize(minSize), "pad", "minSize", "three whole numbers >= 1", minSize);
  requireOption(isSize(divisors), "pad", "divisor", "a whole number >= 1 or three of them", divisor);
  requireOption(["constant", "edge", "reflect", "minimum"].includes(mode), "pad", "mode", '"constant", "edge", "reflect" or "minimum"', mode);
  requireOption(value === "minimum" || Number.isFinite(value), "pad", "value", 'a finite number or "minimum"', value);
  requireOption(Number.isSafeInteger(labelValue) && labelValue >= 0 && labelValue <= 65535, "pad", "labelValue", "a label", labelValue);
  return transform({ name: "pad", parameters: { minSize, divisor: divisors, mode, value, labelValue } });
}
