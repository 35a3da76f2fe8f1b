import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import { classSums } from "./class-sums.js";
import { type ClassOptions, classWeights, givenClassOptions, requireClassOptions } from "./class-weights.js";
import { foregroundOf } from "./foreground-of.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";

export interface ComboLossOptions extends ClassOptions {
  /** Share of the cross-entropy; the rest is Dice. */
  readonly alpha?: number;
  /** Weight of foreground voxels in the cross-entropy; the background has 1 - beta. Above 0.5, missed voxels cost more than false alarms. */
  readonly beta?: number;
  readonly smooth?: number;
}

/**
 * `α · mean over voxels of -b_c w_c log p_c - (1 - α) · Dice`, with b = 1 - β for the background, β for every other class, and one Dice over every element of
 * batch and classes. A perfect prediction gives -(1 - α).
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` for options outside their rule; `ERR_SHAPE` when there is not one weight per class
 * @source Taghanaki et al. 2019, equation 3; MIScnn 1.4 combo_loss as it was meant
 * @example
 * comboLoss({ alpha: 0.5, beta: 0.7 })(logits, target)
 */
export function comboLoss({ alpha = 0.5, beta = 0.5, smooth = 1e-5, background = true, ...options }: ComboLossOptions = {}): Loss {
  requireOption(alpha >= 0 && alpha <= 1, "comboLoss", "alpha", "in [0, 1]", alpha);
  requireOption(beta >= 0 && beta <= 1, "comboLoss", "beta", "in [0, 1]", beta);
  requireOption(smooth > 0, "comboLoss", "smooth", "> 0", smooth);
  requireClassOptions("comboLoss", options, ["alpha", "beta", "smooth", "background"]);
  const weightsOf = (classes: number): readonly number[] => classWeights("comboLoss", classes, { ...options, background });
  return nameFunction(
    "comboLoss",
    { alpha, beta, smooth, background, ...givenClassOptions(options) },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const classes = logits.shape.at(-1)!;
        const weights = weightsOf(classes).map((w, c) => w * (c === 0 ? 1 - beta : beta));
        const { overlap, predicted, actual, surprise } = classSums(logits, target, options);
        const voxels = options.ignore === undefined ? logits.size / classes : tf.maximum(tf.sum(actual), 1);
        const entropy = tf.div(tf.sum(tf.mul(surprise, tf.tensor1d(weights))), voxels);
        const total = (perClass: tf.Tensor2D): tf.Tensor => tf.sum(foregroundOf(perClass, background));
        const dice = tf.div(tf.add(tf.mul(total(overlap), 2), smooth), tf.add(tf.add(total(actual), total(predicted)), smooth));
        return tf.sub(tf.mul(entropy, alpha), tf.mul(dice, 1 - alpha)) as tf.Scalar;
      }),
    weightsOf,
  );
}
