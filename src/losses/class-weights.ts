import * as tf from "@tensorflow/tfjs-core";
import { requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";

/** Options that losses over classes share. */
export interface ClassOptions {
  /** One factor per class, the background's first; absent: 1 each. */
  readonly weights?: readonly number[];
  /** Whether the background, class 0, counts. */
  readonly background?: boolean;
  /** Label whose voxels count for nothing, such as 255 for what nobody has annotated. */
  readonly ignore?: number;
}

/**
 * Checks the options that losses share.
 *
 * @throws `ERR_OPTION`, also for an option that is neither one of these nor of the loss's `own`
 */
export function requireClassOptions(where: string, options: ClassOptions, own: readonly string[]): void {
  requireKnownOptions(where, options, [...own, "weights", "ignore"]);
  const { weights, ignore } = options;
  requireOption(weights === undefined || weights.every((w) => w >= 0 && Number.isFinite(w)), where, "weights", "numbers >= 0", weights);
  requireOption(ignore === undefined || (Number.isInteger(ignore) && ignore >= 0), where, "ignore", "a label, an integer >= 0", ignore);
}

/**
 * The factor of each class, 0 for a background that does not count.
 *
 * @throws `ERR_SHAPE` when there is not one weight per class; `ERR_OPTION` when all are 0
 */
export function classWeights(where: string, classes: number, { weights, background = true }: ClassOptions): readonly number[] {
  if (weights !== undefined && weights.length !== classes) {
    throw new VoxError(`weights must have one number for each of the ${classes} classes, got ${weights.length}`, { code: "ERR_SHAPE", where });
  }
  const counted = Array.from({ length: classes }, (_, c) => (c === 0 && !background ? 0 : (weights?.[c] ?? 1)));
  requireOption(
    counted.some((w) => w > 0),
    where,
    "weights",
    "> 0 for at least one class that counts",
    weights,
  );
  return counted;
}

/** The weights over their sum. */
export function classShares(weights: readonly number[]): tf.Tensor1D {
  const total = weights.reduce((sum, w) => sum + w, 0);
  return tf.tensor1d(weights.map((w) => w / total));
}

/** `Σ_c w_c x_c / Σ_c w_c`, averaged over the batch. */
export function weightedMean(perClass: tf.Tensor2D, weights: readonly number[]): tf.Scalar {
  const total = weights.reduce((sum, w) => sum + w, 0);
  return tf.div(tf.sum(tf.mul(perClass, tf.tensor1d([...weights]))), total * perClass.shape[0]) as tf.Scalar;
}

/** Options as they are written down: without those that were not given. */
export function givenClassOptions({ weights, ignore }: ClassOptions): { readonly weights?: readonly number[]; readonly ignore?: number } {
  return { ...(weights !== undefined && { weights }), ...(ignore !== undefined && { ignore }) };
}
