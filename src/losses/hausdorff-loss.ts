import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import type { Triple } from "../core/shape.js";
import { signedDistances } from "../engine/index.js";
import { classProbabilities } from "./class-probabilities.js";
import { type ClassOptions, classShares, classWeights, givenClassOptions, requireClassOptions } from "./class-weights.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";

export interface HausdorffLossOptions extends ClassOptions {
  /** Exponent of the distances: the larger, the more the farthest errors decide. */
  readonly alpha?: number;
  /** Voxel size `[z, y, x]` in which distances are measured; voxels by default. */
  readonly spacing?: Triple;
}

/**
 * Mean over voxels and classes of `(p_c - t_c)² (d_c^α + e_c^α)`, with d the distance to the boundary of the true object and e that to the boundary of the
 * predicted one (p > 0.5): an estimate of the Hausdorff distance to the power α that can be differentiated. The distances are constants of a step. A class
 * that fills a patch, or is nowhere in it, has no boundary there and no distance, so add it to a loss over regions. The background is left out unless
 * `background` is true.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @units the spacing's to the power α
 * @throws `ERR_OPTION` for options outside their rule; `ERR_SHAPE` when there is not one weight per class
 * @source Karimi and Salcudean 2020, Loss_DT with α = 2
 * @example
 * combinedLoss({ losses: [diceLoss(), hausdorffLoss()], weights: [1, 0.01] })(logits, target)
 */
export function hausdorffLoss({ alpha = 2, spacing = [1, 1, 1], background = false, ...options }: HausdorffLossOptions = {}): Loss {
  requireClassOptions("hausdorffLoss", options, ["alpha", "spacing", "background"]);
  requireOption(alpha > 0 && Number.isFinite(alpha), "hausdorffLoss", "alpha", "> 0", alpha);
  requireOption(spacing.length === 3 && spacing.every((s) => s > 0 && Number.isFinite(s)), "hausdorffLoss", "spacing", "three numbers > 0", spacing);
  const weightsOf = (classes: number): readonly number[] => classWeights("hausdorffLoss", classes, { ...options, background });
  return nameFunction(
    "hausdorffLoss",
    { alpha, spacing, background, ...givenClassOptions(options) },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const classes = logits.shape.at(-1)!;
        const weights = weightsOf(classes);
        const { p, t, voxels } = classProbabilities(logits, target, options);
        const maps = { classes, spacing, wanted: weights.map((w) => w > 0) };
        const actual = signedDistances(target, { ...maps, ignore: options.ignore });
        const predicted = signedDistances(tf.reshape(p, logits.shape), maps);
        const power = (distances: tf.Tensor): tf.Tensor => tf.pow(tf.abs(distances), alpha);
        const errors = tf.mul(tf.square(tf.sub(p, t)), tf.add(power(actual), power(predicted)));
        return tf.div(tf.sum(tf.mul(errors, classShares(weights))), voxels) as tf.Scalar;
      }),
    weightsOf,
  );
}
