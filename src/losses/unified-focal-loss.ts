import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import { classProbabilities } from "./class-probabilities.js";
import { classSums } from "./class-sums.js";
import { type ClassOptions, classWeights, givenClassOptions, requireClassOptions, weightedMean } from "./class-weights.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";
import { powerOf } from "./power-of.js";
import { tverskyIndex } from "./tversky-index.js";

export interface UnifiedFocalLossOptions extends ClassOptions {
  /** `"asymmetric"`: foreground is enhanced in the Tversky part and not suppressed in the cross-entropy part, background the other way round. */
  readonly form?: "symmetric" | "asymmetric";
  /** Share of the focal Tversky part: 1 is that alone, 0 the focal cross-entropy alone. */
  readonly weight?: number;
  /** Weight of foreground against background, and of false negatives against false positives. */
  readonly delta?: number;
  /** 0: no focus. */
  readonly gamma?: number;
  readonly smooth?: number;
}

/**
 * `λ mean_c (1 - T_c)^(1-γ) + (1 - λ) mean over voxels of Σ_c d_c (1 - p_c)^γ (-t_c log p_c)`, with the Tversky index T and d = 1 - δ for the background, δ for
 * every other class. The asymmetric form leaves out the exponent of the background in the first part and the focal factor of the foreground in the second.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` for options outside their rule; `ERR_SHAPE` when there is not one weight per class
 * @source Yeung et al. 2022, Unified Focal loss; MIScnn 1.4 has it for two classes in 2D, this is for any number in 2D and 3D
 * @example
 * unifiedFocalLoss({ form: "asymmetric", weight: 0.5, delta: 0.6, gamma: 0.5 })(logits, target)
 */
export function unifiedFocalLoss({
  form = "asymmetric",
  weight = 0.5,
  delta = 0.6,
  gamma = 0.5,
  smooth = 1e-7,
  background = true,
  ...options
}: UnifiedFocalLossOptions = {}): Loss {
  const where = "unifiedFocalLoss";
  requireOption(form === "symmetric" || form === "asymmetric", where, "form", '"symmetric" or "asymmetric"', form);
  requireOption(weight >= 0 && weight <= 1, where, "weight", "in [0, 1]", weight);
  requireOption(delta >= 0 && delta <= 1, where, "delta", "in [0, 1]", delta);
  requireOption(gamma >= 0 && Number.isFinite(gamma), where, "gamma", ">= 0", gamma);
  requireOption(weight === 0 || gamma < 1, where, "gamma", "< 1 with a Tversky part", gamma);
  requireOption(smooth > 0, where, "smooth", "> 0", smooth);
  requireClassOptions(where, options, ["form", "weight", "delta", "gamma", "smooth", "background"]);
  const weightsOf = (classes: number): readonly number[] => classWeights(where, classes, { ...options, background });
  const isSymmetric = form === "symmetric";

  const focalTversky = (logits: tf.Tensor, target: tf.Tensor, weights: readonly number[]): tf.Scalar => {
    const miss = tf.sub(1, tverskyIndex(classSums(logits, target, options), { alpha: delta, beta: 1 - delta, smooth })) as tf.Tensor2D;
    return weightedMean(
      byClass(miss, (x, isBackground) => (isSymmetric || !isBackground ? powerOf(x, 1 - gamma) : x)),
      weights,
    );
  };
  const focalEntropy = (logits: tf.Tensor, target: tf.Tensor, weights: readonly number[]): tf.Scalar => {
    const { p, logP, t, voxels } = classProbabilities(logits, target, options);
    const factor = byClass(tf.sub(1, p) as tf.Tensor3D, (x, isBackground) => (isSymmetric || isBackground ? powerOf(x, gamma) : tf.onesLike(x)));
    const shares = weights.map((w, c) => w * (c === 0 ? 1 - delta : delta));
    return tf.div(tf.sum(tf.mul(tf.mul(tf.mul(t, tf.neg(logP)), factor), tf.tensor1d(shares))), voxels) as tf.Scalar;
  };

  return nameFunction(
    where,
    { form, weight, delta, gamma, smooth, background, ...givenClassOptions(options) },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const weights = weightsOf(logits.shape.at(-1)!);
        if (weight === 1) return focalTversky(logits, target, weights);
        if (weight === 0) return focalEntropy(logits, target, weights);
        return tf.add(tf.mul(focalTversky(logits, target, weights), weight), tf.mul(focalEntropy(logits, target, weights), 1 - weight)) as tf.Scalar;
      }),
    weightsOf,
  );
}

/** Changes the background's column and the others each in their way. */
function byClass<T extends tf.Tensor>(x: T, change: (column: tf.Tensor, isBackground: boolean) => tf.Tensor): T {
  const [background, foreground] = tf.split(x, [1, x.shape.at(-1)! - 1], -1) as [tf.Tensor, tf.Tensor];
  return tf.concat([change(background, true), change(foreground, false)], -1) as T;
}
