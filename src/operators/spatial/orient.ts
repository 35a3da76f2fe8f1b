import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import { transform } from "../transform.js";

export interface OrientOptions {
  /** Where width, height and depth shall point to: R or L, A or P, S or I, each axis once, in any order. `load` gives "RAS". */
  readonly axes: string;
}

/**
 * Swaps and flips axes, without interpolation, until width, height and depth point as closely as they can to the three letters: "LPS" for networks trained
 * on DICOM's orientation, "SAR" or "RSA" for slices along another axis.
 *
 * @shape image (D, H, W, C) → its axes in another order
 * @units none; place in mm stays the same
 * @label turned alike; predictions turn back
 * @throws `ERR_OPTION` when the letters are not one of each pair
 * @source nibabel 5, orientations.axcodes2ornt
 * @example
 * samples.pipe(orient({ axes: "LPS" }))
 */
export function orient(options: OrientOptions): OperatorFunction<Sample, Sample> {
  requireKnownOptions("orient", options, ["axes"]);
  const { axes } = options;
  const pairs = typeof axes === "string" ? [...axes].map((letter) => ["RL", "AP", "SI"].findIndex((pair) => pair.includes(letter))) : [];
  requireOption(pairs.length === 3 && [...pairs].sort().join() === "0,1,2", "orient", "axes", "three letters, one each of RL, AP and SI", axes);
  return transform({ name: "orient", parameters: { axes } });
}
