import * as tf from "@tensorflow/tfjs-core";
import { classSums } from "./class-sums.js";
import { type ClassOptions, classWeights, givenClassOptions, requireClassOptions } from "./class-weights.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";

export type CrossEntropyLossOptions = ClassOptions;

/**
 * Mean over voxels of `-w_c log softmax(logits)_c` for the true class c.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when a weight is negative; `ERR_SHAPE` when there is not one weight per class
 * @source categorical cross-entropy, e.g. Goodfellow et al. 2016, 6.2.2.3
 * @example
 * crossEntropyLoss({ weights: [0.2, 1, 2] })(logits, target)
 */
export function crossEntropyLoss({ background = true, ...options }: CrossEntropyLossOptions = {}): Loss {
  requireClassOptions("crossEntropyLoss", options, ["background"]);
  const weightsOf = (classes: number): readonly number[] => classWeights("crossEntropyLoss", classes, { ...options, background });
  return nameFunction(
    "crossEntropyLoss",
    { ...(!background && { background }), ...givenClassOptions(options) },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const classes = logits.shape.at(-1)!;
        const weights = weightsOf(classes);
        const { surprise, actual } = classSums(logits, target, options);
        const voxels = options.ignore === undefined ? logits.size / classes : tf.maximum(tf.sum(actual), 1);
        return tf.div(tf.sum(tf.mul(surprise, tf.tensor1d([...weights]))), voxels) as tf.Scalar;
      }),
    weightsOf,
  );
}
