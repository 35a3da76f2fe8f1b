import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import { classSums } from "./class-sums.js";
import { foregroundOf } from "./foreground-of.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";

export interface DiceLossOptions {
  readonly smooth?: number;
  /** Whether the background class counts; MIScnn counts it. */
  readonly background?: boolean;
  /** `"class"`: the mean of a Dice per sample and class. `"all"`: one Dice over every element of batch and classes. */
  readonly over?: "class" | "all";
}

/**
 * `1 - (2 tp + s) / (Σt + Σp + s)` with softmax probabilities.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when `smooth` is not > 0 or `over` is unknown
 * @source Milletari et al. 2016; MIScnn 1.4 dice_soft_loss (`"class"`) and dice_coefficient_loss (`"all"`)
 * @example
 * diceLoss({ background: false })(logits, target)
 */
export function diceLoss({ smooth = 1e-5, background = true, over = "class" }: DiceLossOptions = {}): Loss {
  requireOption(smooth > 0, "diceLoss", "smooth", "> 0", smooth);
  requireOption(over === "class" || over === "all", "diceLoss", "over", '"class" or "all"', over);
  return nameFunction(
    "diceLoss",
    { smooth, background, over },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const sums = classSums(logits, target);
        const total = (perClass: tf.Tensor2D): tf.Tensor =>
          over === "all" ? tf.sum(foregroundOf(perClass, background)) : foregroundOf(perClass, background);
        const dice = tf.div(tf.add(tf.mul(total(sums.overlap), 2), smooth), tf.add(tf.add(total(sums.actual), total(sums.predicted)), smooth));
        return tf.sub(1, tf.mean(dice)) as tf.Scalar;
      }),
  );
}
