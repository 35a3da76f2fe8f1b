import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import { classSums } from "./class-sums.js";
import { foregroundOf } from "./foreground-of.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";

export interface TverskyLossOptions {
  /** Weight of false negatives; 0.5 with `beta` 0.5 is Dice. */
  readonly alpha?: number;
  /** Weight of false positives. */
  readonly beta?: number;
  readonly smooth?: number;
  /** Whether the background class counts; MIScnn counts it. */
  readonly background?: boolean;
}

/**
 * `Σ_c (1 - (tp + s) / (tp + α fn + β fp + s))` per sample, averaged over the batch; 0 is perfect, the number of classes the worst.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when a weight is negative or both are 0
 * @source Salehi et al. 2017, equation 2; defaults and sum over classes of MIScnn 1.4 tversky_loss
 * @example
 * tverskyLoss({ alpha: 0.7, beta: 0.3 })(logits, target) // missed voxels cost more than false alarms
 */
export function tverskyLoss({ alpha = 0.5, beta = 0.5, smooth = 1e-6, background = true }: TverskyLossOptions = {}): Loss {
  requireOption(alpha >= 0 && Number.isFinite(alpha), "tverskyLoss", "alpha", ">= 0", alpha);
  requireOption(beta >= 0 && alpha + beta > 0 && Number.isFinite(beta), "tverskyLoss", "beta", ">= 0, and > 0 when alpha is 0", beta);
  requireOption(smooth > 0, "tverskyLoss", "smooth", "> 0", smooth);
  return nameFunction(
    "tverskyLoss",
    { alpha, beta, smooth, background },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const { overlap, predicted, actual } = classSums(logits, target);
        const missed = tf.mul(tf.sub(actual, overlap), alpha);
        const falseAlarm = tf.mul(tf.sub(predicted, overlap), beta);
        const index = tf.div(tf.add(overlap, smooth), tf.add(tf.add(overlap, tf.add(missed, falseAlarm)), smooth)) as tf.Tensor2D;
        return tf.mean(tf.sum(tf.sub(1, foregroundOf(index, background)), 1)) as tf.Scalar;
      }),
  );
}
