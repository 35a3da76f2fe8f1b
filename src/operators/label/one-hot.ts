import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import { transform } from "../transform.js";

export interface OneHotOptions {
  /** Number of classes, background included. */
  readonly classes: number;
}

/**
 * Writes label k as a 1 in channel k and 0 in the others. Losses take label indices as well, so this is for models and losses of your own.
 *
 * @shape label (D, H, W, 1) → (D, H, W, classes)
 * @units 0 or 1
 * @label one-hot, uint8
 * @throws `ERR_OPTION` when `classes` is not a whole number ≥ 2; `ERR_LABEL` with the sample when a label is not below `classes`
 * @source MIScnn 1.4, which does it to every label map
 * @example
 * samples.pipe(oneHot({ classes: 3 }))
 */
export function oneHot(options: OneHotOptions): OperatorFunction<Sample, Sample> {
  requireKnownOptions("oneHot", options, ["classes"]);
  const { classes } = options;
  requireOption(Number.isSafeInteger(classes) && classes >= 2, "oneHot", "classes", "a whole number >= 2", classes);
  return transform({ name: "oneHot", parameters: { classes } });
}
