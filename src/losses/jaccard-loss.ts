import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import { classSums } from "./class-sums.js";
import { type ClassOptions, classWeights, givenClassOptions, requireClassOptions, weightedMean } from "./class-weights.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";

export interface JaccardLossOptions extends ClassOptions {
  readonly smooth?: number;
}

/**
 * `1 - (tp + s) / (Σt + Σp - tp + s)` with softmax probabilities: the intersection over the union, per sample and class, then the (weighted) mean.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when `smooth` is not > 0; `ERR_SHAPE` when there is not one weight per class
 * @source Rahman and Wang 2016, equation 3
 * @example
 * jaccardLoss({ background: false })(logits, target)
 */
export function jaccardLoss({ smooth = 1e-5, background = true, ...options }: JaccardLossOptions = {}): Loss {
  requireOption(smooth > 0, "jaccardLoss", "smooth", "> 0", smooth);
  requireClassOptions("jaccardLoss", options, ["smooth", "background"]);
  const weightsOf = (classes: number): readonly number[] => classWeights("jaccardLoss", classes, { ...options, background });
  return nameFunction(
    "jaccardLoss",
    { smooth, background, ...givenClassOptions(options) },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const weights = weightsOf(logits.shape.at(-1)!);
        const { overlap, predicted, actual } = classSums(logits, target, options);
        const union = tf.sub(tf.add(actual, predicted), overlap);
        return weightedMean(tf.sub(1, tf.div(tf.add(overlap, smooth), tf.add(union, smooth))) as tf.Tensor2D, weights);
      }),
    weightsOf,
  );
}
