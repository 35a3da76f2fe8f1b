import * as tf from "@tensorflow/tfjs-core";
import { VoxError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { softmaxStatistics } from "../engine/index.js";

/** Sums over all voxels per sample and class, each of shape (batch, classes). */
export interface ClassSums {
  /** Σ p t: the soft true positives. */
  readonly overlap: tf.Tensor2D;
  /** Σ p over softmax probabilities. */
  readonly predicted: tf.Tensor2D;
  /** Σ t. */
  readonly actual: tf.Tensor2D;
  /** Σ -t log p. */
  readonly surprise: tf.Tensor2D;
}

/**
 * Softmax, then the sums that Dice, Tversky and cross-entropy are made of; for label indices in one pass of the engine, without probabilities in memory.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) int32 or (batch, …, classes) one-hot → four times (batch, classes)
 * @throws `ERR_SHAPE` when target and logits differ in batch or extent
 */
export function classSums(logits: tf.Tensor, target: tf.Tensor): ClassSums {
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
  if (channels === 1) return softmaxStatistics(logits, tf.cast(target, "int32"));
  const flatShape: [number, number, number] = [logits.shape[0]!, -1, classes];
  const flat = tf.reshape(logits, flatShape);
  const p = tf.softmax(flat);
  const t = tf.reshape(tf.cast(target, "float32"), flatShape);
  return {
    overlap: tf.sum(tf.mul(p, t), 1),
    predicted: tf.sum(p, 1),
    actual: tf.sum(t, 1),
    surprise: tf.neg(tf.sum(tf.mul(t, tf.logSoftmax(flat)), 1)),
  };
}
