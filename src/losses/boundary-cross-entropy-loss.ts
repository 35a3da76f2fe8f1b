import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import type { Triple } from "../core/shape.js";
import { signedDistances } from "../engine/index.js";
import { classProbabilities } from "./class-probabilities.js";
import { type ClassOptions, classWeights, givenClassOptions, requireClassOptions } from "./class-weights.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";

export interface BoundaryCrossEntropyLossOptions extends ClassOptions {
  /** How much more than 1 a voxel right at a boundary counts; 10 as in the U-Net's paper. */
  readonly boost?: number;
  /** Distance from the boundary at which that has fallen to 61 %; 5 as in the U-Net's paper. */
  readonly sigma?: number;
  /** Voxel size `[z, y, x]` in which `sigma` is measured; voxels by default. */
  readonly spacing?: Triple;
}

/**
 * Mean over voxels of `-w_c (1 + boost · exp(-d² / 2σ²)) log p_c` for the true class c, with d the distance to the nearest voxel of another label:
 * cross-entropy that looks hardest at boundaries.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` for options outside their rule; `ERR_SHAPE` when there is not one weight per class
 * @source Ronneberger et al. 2015, equation 2, with the distance to the one nearest border instead of to two cells
 * @example
 * boundaryCrossEntropyLoss({ boost: 5, sigma: 3, spacing: [3.22, 1.62, 1.62] })(logits, target)
 */
export function boundaryCrossEntropyLoss({
  boost = 10,
  sigma = 5,
  spacing = [1, 1, 1],
  background = true,
  ...options
}: BoundaryCrossEntropyLossOptions = {}): Loss {
  const where = "boundaryCrossEntropyLoss";
  requireClassOptions(where, options, ["boost", "sigma", "spacing", "background"]);
  requireOption(boost >= 0 && Number.isFinite(boost), where, "boost", ">= 0", boost);
  requireOption(sigma > 0 && Number.isFinite(sigma), where, "sigma", "> 0", sigma);
  requireOption(spacing.length === 3 && spacing.every((s) => s > 0 && Number.isFinite(s)), where, "spacing", "three numbers > 0", spacing);
  const weightsOf = (classes: number): readonly number[] => classWeights(where, classes, { ...options, background });
  return nameFunction(
    where,
    { boost, sigma, spacing, background, ...givenClassOptions(options) },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const classes = logits.shape.at(-1)!;
        const weights = weightsOf(classes);
        const { logP, t, voxels } = classProbabilities(logits, target, options);
        // Inside its own class, a voxel's distance to the next label is the negative of its signed distance; 0 when there is no other label.
        const depth = tf.neg(tf.sum(tf.mul(t, signedDistances(target, { classes, spacing, ignore: options.ignore })), -1, true));
        const closeness = tf.mul(tf.exp(tf.div(tf.square(depth), -2 * sigma * sigma)), tf.cast(tf.greater(depth, 0), "float32"));
        const surprise = tf.mul(tf.mul(t, tf.neg(logP)), tf.tensor1d([...weights]));
        return tf.div(tf.sum(tf.mul(surprise, tf.add(tf.mul(closeness, boost), 1))), voxels) as tf.Scalar;
      }),
    weightsOf,
  );
}
