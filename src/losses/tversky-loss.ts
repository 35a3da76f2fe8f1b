import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import { classSums } from "./class-sums.js";
import { type ClassOptions, classWeights, givenClassOptions, requireClassOptions } from "./class-weights.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";
import { tverskyIndex } from "./tversky-index.js";

export interface TverskyLossOptions extends ClassOptions {
  /** Weight of false negatives; 0.5 with `beta` 0.5 is Dice. */
  readonly alpha?: number;
  /** Weight of false positives. */
  readonly beta?: number;
  readonly smooth?: number;
}

/**
 * `Σ_c w_c (1 - (tp + s) / (tp + α fn + β fp + s))` per sample, averaged over the batch; 0 is perfect, the number of classes the worst without weights.
 * MIScnn counts the background.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when a weight is negative or both are 0; `ERR_SHAPE` when there is not one weight per class
 * @source Salehi et al. 2017, equation 2; defaults and sum over classes of MIScnn 1.4 tversky_loss
 * @example
 * tverskyLoss({ alpha: 0.7, beta: 0.3 })(logits, target) // missed voxels cost more than false alarms
 */
export function tverskyLoss({ alpha = 0.5, beta = 0.5, smooth = 1e-6, background = true, ...options }: TverskyLossOptions = {}): Loss {
  requireOption(alpha >= 0 && Number.isFinite(alpha), "tverskyLoss", "alpha", ">= 0", alpha);
  requireOption(beta >= 0 && alpha + beta > 0 && Number.isFinite(beta), "tverskyLoss", "beta", ">= 0, and > 0 when alpha is 0", beta);
  requireOption(smooth > 0, "tverskyLoss", "smooth", "> 0", smooth);
  requireClassOptions("tverskyLoss", options, ["alpha", "beta", "smooth", "background"]);
  const weightsOf = (classes: number): readonly number[] => classWeights("tverskyLoss", classes, { ...options, background });
  return nameFunction(
    "tverskyLoss",
    { alpha, beta, smooth, background, ...givenClassOptions(options) },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const weights = weightsOf(logits.shape.at(-1)!);
        const index = tverskyIndex(classSums(logits, target, options), { alpha, beta, smooth });
        return tf.mean(tf.sum(tf.mul(tf.sub(1, index), tf.tensor1d([...weights])), 1)) as tf.Scalar;
      }),
    weightsOf,
  );
}
