import * as tf from "@tensorflow/tfjs-core";
import { requireOption, VoxError } from "../core/errors.js";
import { softmaxStatistics } from "../engine/index.js";
import { isLabelMap } from "./is-label-map.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";
import { targetOneHot } from "./target-one-hot.js";

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
        if (isLabelMap(logits, target)) {
          const { surprise } = softmaxStatistics(logits, target);
          const sums = weights === undefined ? surprise : tf.mul(surprise, tf.tensor1d([...weights]));
          return tf.div(tf.sum(sums), target.size) as tf.Scalar;
        }
        let t = tf.reshape(targetOneHot(logits, target), [-1, classes]);
        const voxels = t.shape[0]!;
        if (weights !== undefined) t = tf.mul(t, tf.tensor1d([...weights]));
        return tf.div(tf.neg(tf.sum(tf.mul(t, tf.logSoftmax(tf.reshape(logits, [-1, classes]))))), voxels) as tf.Scalar;
      }),
  );
}
