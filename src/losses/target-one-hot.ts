import * as tf from "@tensorflow/tfjs-core";
import { VoxError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";

/**
 * The target as float32 one-hot with one channel per class.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or (batch, …, classes) → (batch, …, classes)
 * @throws `ERR_SHAPE` when target and logits differ in batch or extent
 */
export function targetOneHot(logits: tf.Tensor, target: tf.Tensor): tf.Tensor {
  const classes = logits.shape[logits.rank - 1]!;
  const channels = target.shape[target.rank - 1]!;
  if (
    target.rank !== logits.rank ||
    logits.shape.slice(0, -1).some((extent, axis) => extent !== target.shape[axis]) ||
    (channels !== 1 && channels !== classes)
  ) {
    throw new VoxError(
      `the target must have the shape of the logits ${formatShape(logits.shape)}, or 1 channel of labels, got ${formatShape(target.shape)}`,
      {
        code: "ERR_SHAPE",
        where: "loss",
      },
    );
  }
  if (channels === classes && classes > 1) return tf.cast(target, "float32");
  const flat = tf.cast(tf.reshape(target, [-1]), "int32") as tf.Tensor1D;
  return tf.reshape(tf.cast(tf.oneHot(flat, classes), "float32"), logits.shape);
}
