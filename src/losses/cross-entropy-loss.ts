import * as tf from "@tensorflow/tfjs-core";
import { requireOption, VoxError } from "../core/errors.js";
import { classSums } from "./class-sums.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";

export interface CrossEntropyLossOptions {
  /** One factor per class; absent: 1 each. */
  readonly weights?: readonly number[];
}

/**
 * Mean over voxels of `-w_c log softmax(logits)_c` for the true class c.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when a weight is negative; `ERR_SHAPE` when there is not one weight per class
 * @source categorical cross-entropy, e.g. Goodfellow et al. 2016, 6.2.2.3
 * @example
 * crossEntropyLoss({ weights: [0.2, 1, 2] })(logits, target)
 */
export function crossEntropyLoss({ weights }: CrossEntropyLossOptions = {}): Loss {
  requireOption(weights === undefined || weights.every((w) => w >= 0 && Number.isFinite(w)), "crossEntropyLoss", "weights", "numbers >= 0", weights);
  return nameFunction(
    "crossEntropyLoss",
    weights === undefined ? {} : { weights },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const classes = logits.shape[logits.rank - 1]!;
        if (weights !== undefined && weights.length !== classes) {
          throw new VoxError(`weights must have one number for each of the ${classes} classes, got ${weights.length}`, {
            code: "ERR_SHAPE",
            where: "crossEntropyLoss",
          });
        }
        const { surprise } = classSums(logits, target);
        const weighted = weights === undefined ? surprise : tf.mul(surprise, tf.tensor1d([...weights]));
        return tf.div(tf.sum(weighted), logits.size / classes) as tf.Scalar;
      }),
  );
}
