import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { classSums } from "./class-sums.js";
import type { TrainingMetric } from "./loss.js";
import { nameFunction } from "./name-function.js";

export interface SoftDiceOptions {
  readonly smooth?: number;
  /** Label whose voxels count for nothing. */
  readonly ignore?: number;
}

/**
 * `(2 tp + s) / (Σt + Σp + s)` per class, averaged over the batch, from softmax probabilities: the figure of MIScnn's `dice_soft`, one number per class.
 * A class that a patch does not hold scores near 0 unless nothing at all is predicted, so judge whole cases with `voxstream evaluate`.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → (classes)
 * @throws `ERR_OPTION` when `smooth` is not > 0
 * @source MIScnn 1.4 dice_soft
 * @example
 * softDice()(logits, target).arraySync() // [background, kidney, tumor]
 */
export function softDice({ smooth = 1e-5, ignore, ...unknown }: SoftDiceOptions = {}): TrainingMetric {
  requireKnownOptions("softDice", unknown, ["smooth", "ignore"]);
  requireOption(smooth > 0, "softDice", "smooth", "> 0", smooth);
  return nameFunction(
    "softDice",
    { smooth, ...(ignore !== undefined && { ignore }) },
    (logits: tf.Tensor, target: tf.Tensor): tf.Tensor =>
      tf.tidy(() => {
        const { overlap, predicted, actual } = classSums(logits, target, { ignore });
        return tf.mean(tf.div(tf.add(tf.mul(overlap, 2), smooth), tf.add(tf.add(actual, predicted), smooth)), 0);
      }),
  );
}
