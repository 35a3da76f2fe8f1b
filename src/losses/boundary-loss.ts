import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import type { Triple } from "../core/shape.js";
import { signedDistances } from "../engine/index.js";
import { classProbabilities } from "./class-probabilities.js";
import { type ClassOptions, classShares, classWeights, givenClassOptions, requireClassOptions } from "./class-weights.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";

export interface BoundaryLossOptions extends ClassOptions {
  /** Voxel size `[z, y, x]` in which distances are measured; voxels by default. */
  readonly spacing?: Triple;
}

/**
 * Mean over voxels and classes of `φ_c p_c`, with φ the signed distance to the true object: negative inside it, positive outside. Probability far outside an
 * object costs in proportion to its distance, which overlap losses do not see. It has no lower bound of its own and a class that is not there costs nothing,
 * so add it to a loss over regions with a small weight. The background is left out unless `background` is true.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @units the spacing's
 * @throws `ERR_OPTION` for options outside their rule; `ERR_SHAPE` when there is not one weight per class
 * @source Kervadec et al. 2019; distances between voxel centers, so that voxels on both sides of a face have -1 and 1 (their code: 0 and 1)
 * @example
 * combinedLoss({ losses: [diceLoss(), boundaryLoss()], weights: [1, 0.01] })(logits, target)
 */
export function boundaryLoss({ spacing = [1, 1, 1], background = false, ...options }: BoundaryLossOptions = {}): Loss {
  requireClassOptions("boundaryLoss", options, ["spacing", "background"]);
  requireOption(spacing.length === 3 && spacing.every((s) => s > 0 && Number.isFinite(s)), "boundaryLoss", "spacing", "three numbers > 0", spacing);
  const weightsOf = (classes: number): readonly number[] => classWeights("boundaryLoss", classes, { ...options, background });
  return nameFunction(
    "boundaryLoss",
    { spacing, background, ...givenClassOptions(options) },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const classes = logits.shape.at(-1)!;
        const weights = weightsOf(classes);
        const { p, voxels } = classProbabilities(logits, target, options);
        const distances = signedDistances(target, { classes, spacing, ignore: options.ignore, wanted: weights.map((w) => w > 0) });
        return tf.div(tf.sum(tf.mul(tf.mul(p, distances), classShares(weights))), voxels) as tf.Scalar;
      }),
    weightsOf,
  );
}
