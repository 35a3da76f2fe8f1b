import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import { classSums } from "./class-sums.js";
import { type ClassOptions, classWeights, givenClassOptions, requireClassOptions, weightedMean } from "./class-weights.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";
import { powerOf } from "./power-of.js";
import { tverskyIndex } from "./tversky-index.js";

export interface FocalTverskyLossOptions extends ClassOptions {
  /** Weight of false negatives; false positives have 1 - delta. */
  readonly delta?: number;
  /** Below 1: classes that are nearly right go on counting. */
  readonly gamma?: number;
  readonly smooth?: number;
}

/**
 * `(1 - T)^γ` with the Tversky index T, per sample and class, then the (weighted) mean.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when `delta` is not in [0, 1] or `gamma` not > 0; `ERR_SHAPE` when there is not one weight per class
 * @source Abraham and Khan 2019, equation 4, with MIScnn 1.4's defaults and its γ for their 1/γ
 * @example
 * focalTverskyLoss({ delta: 0.7, gamma: 0.75, background: false })(logits, target)
 */
export function focalTverskyLoss({ delta = 0.7, gamma = 0.75, smooth = 1e-6, background = true, ...options }: FocalTverskyLossOptions = {}): Loss {
  requireOption(delta >= 0 && delta <= 1, "focalTverskyLoss", "delta", "in [0, 1]", delta);
  requireOption(gamma > 0 && Number.isFinite(gamma), "focalTverskyLoss", "gamma", "> 0", gamma);
  requireOption(smooth > 0, "focalTverskyLoss", "smooth", "> 0", smooth);
  requireClassOptions("focalTverskyLoss", options, ["delta", "gamma", "smooth", "background"]);
  const weightsOf = (classes: number): readonly number[] => classWeights("focalTverskyLoss", classes, { ...options, background });
  return nameFunction(
    "focalTverskyLoss",
    { delta, gamma, smooth, background, ...givenClassOptions(options) },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const weights = weightsOf(logits.shape.at(-1)!);
        const index = tverskyIndex(classSums(logits, target, options), { alpha: delta, beta: 1 - delta, smooth });
        return weightedMean(powerOf(tf.sub(1, index) as tf.Tensor2D, gamma), weights);
      }),
    weightsOf,
  );
}
