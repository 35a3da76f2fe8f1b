import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import { classProbabilities } from "./class-probabilities.js";
import { type ClassOptions, classWeights, givenClassOptions, requireClassOptions } from "./class-weights.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";
import { powerOf } from "./power-of.js";

export interface FocalLossOptions extends ClassOptions {
  /** How much less voxels count that are right already; 0 is cross-entropy. */
  readonly gamma?: number;
}

/**
 * Mean over voxels of `-w_c (1 - p_c)^γ log p_c` for the true class c.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when `gamma` is negative; `ERR_SHAPE` when there is not one weight per class
 * @source Lin et al. 2017, equation 5 (its α are the weights); MIScnn 1.4 categorical_focal_loss
 * @example
 * focalLoss({ gamma: 2, weights: [0.2, 0.4, 0.4] })(logits, target)
 */
export function focalLoss({ gamma = 2, background = true, ...options }: FocalLossOptions = {}): Loss {
  requireOption(gamma >= 0 && Number.isFinite(gamma), "focalLoss", "gamma", ">= 0", gamma);
  requireClassOptions("focalLoss", options, ["gamma", "background"]);
  const weightsOf = (classes: number): readonly number[] => classWeights("focalLoss", classes, { ...options, background });
  return nameFunction(
    "focalLoss",
    { gamma, ...(!background && { background }), ...givenClassOptions(options) },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const weights = weightsOf(logits.shape.at(-1)!);
        const { p, logP, t, voxels } = classProbabilities(logits, target, options);
        const surprise = tf.mul(tf.mul(t, tf.neg(logP)), powerOf(tf.sub(1, p), gamma));
        return tf.div(tf.sum(tf.mul(surprise, tf.tensor1d([...weights]))), voxels) as tf.Scalar;
      }),
    weightsOf,
  );
}
