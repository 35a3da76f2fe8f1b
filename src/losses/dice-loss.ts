import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import { classSums } from "./class-sums.js";
import { type ClassOptions, classWeights, givenClassOptions, requireClassOptions, weightedMean } from "./class-weights.js";
import { foregroundOf } from "./foreground-of.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";

export interface DiceLossOptions extends ClassOptions {
  readonly smooth?: number;
  /** `"class"`: the mean of a Dice per sample and class. `"all"`: one Dice over every element of batch and classes. */
  readonly over?: "class" | "all";
}

/**
 * `1 - (2 tp + s) / (Σt + Σp + s)` with softmax probabilities; with weights, the weighted mean of it over the classes. MIScnn counts the background.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when `smooth` is not > 0 or `over` is unknown; `ERR_SHAPE` when there is not one weight per class
 * @source Milletari et al. 2016; MIScnn 1.4 dice_soft_loss (`"class"`), dice_coefficient_loss (`"all"`) and dice_weighted (`weights`)
 * @example
 * diceLoss({ background: false })(logits, target)
 */
export function diceLoss({ smooth = 1e-5, background = true, over = "class", ...options }: DiceLossOptions = {}): Loss {
  requireOption(smooth > 0, "diceLoss", "smooth", "> 0", smooth);
  requireOption(over === "class" || over === "all", "diceLoss", "over", '"class" or "all"', over);
  requireClassOptions("diceLoss", options, ["smooth", "background", "over"]);
  const weightsOf = (classes: number): readonly number[] => classWeights("diceLoss", classes, { ...options, background });
  requireOption(over === "class" || options.weights === undefined, "diceLoss", "weights", 'absent with over "all"', options.weights);
  return nameFunction(
    "diceLoss",
    { smooth, background, over, ...givenClassOptions(options) },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const weights = weightsOf(logits.shape.at(-1)!);
        const { overlap, predicted, actual } = classSums(logits, target, options);
        const dice = (tp: tf.Tensor, voxels: tf.Tensor): tf.Tensor => tf.div(tf.add(tf.mul(tp, 2), smooth), tf.add(voxels, smooth));
        if (over === "class") return weightedMean(tf.sub(1, dice(overlap, tf.add(actual, predicted))) as tf.Tensor2D, weights);
        const total = (perClass: tf.Tensor2D): tf.Tensor => tf.sum(foregroundOf(perClass, background));
        return tf.sub(1, dice(total(overlap), tf.add(total(actual), total(predicted)))) as tf.Scalar;
      }),
    weightsOf,
  );
}
