import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runKernel } from "./run-kernel.js";

/** Sums over the voxels of each sample, per class: each of shape (batch, classes). */
export interface SoftmaxStatistics {
  /** Σ p t: probability of the true class, the soft true positives. */
  readonly overlap: tf.Tensor2D;
  /** Σ p. */
  readonly predicted: tf.Tensor2D;
  /** Σ t: voxels of the class. */
  readonly actual: tf.Tensor2D;
  /** Σ -t log p: the cross-entropy that voxels of the class contribute. */
  readonly surprise: tf.Tensor2D;
}

/**
 * The sums that Dice, Tversky and cross-entropy losses are made of, from logits and integer labels, without one-hot labels or probabilities in memory.
 * A label outside the classes counts for no class.
 *
 * @shape logits (batch, …, classes) with at most 256 classes, labels int32 (batch, …) or (batch, …, 1) → four times (batch, classes)
 */
export function softmaxStatistics(logits: tf.Tensor, labels: tf.Tensor): SoftmaxStatistics {
  const classes = logits.shape[logits.rank - 1]!;
  const batch = logits.shape[0]!;
  tf.util.assert(
    labels.dtype === "int32" && labels.size * classes === logits.size,
    () => `softmaxStatistics: labels must be int32, one per voxel of the logits [${logits.shape}], got ${labels.dtype} [${labels.shape}]`,
  );
  return tf.tidy(() => {
    const sums = hasKernel("SoftmaxStatistics") && classes <= 256 ? runKernel("SoftmaxStatistics", { logits, labels }) : composed(logits, labels);
    const [overlap, predicted, actual, surprise] = tf.unstack(sums, 0);
    return { overlap, predicted, actual, surprise } as unknown as { [K in keyof SoftmaxStatistics]: tf.Tensor2D };
  });

  function composed(x: tf.Tensor, t: tf.Tensor): tf.Tensor {
    const flat = tf.reshape(x, [batch, tf.util.sizeFromShape(x.shape.slice(1, -1)), classes]);
    const p = tf.softmax(flat);
    const truth = tf.reshape(tf.cast(tf.oneHot(tf.reshape(t, [t.size]) as tf.Tensor1D, classes), "float32"), flat.shape);
    return tf.stack([tf.sum(tf.mul(p, truth), 1), tf.sum(p, 1), tf.sum(truth, 1), tf.neg(tf.sum(tf.mul(truth, tf.logSoftmax(flat)), 1))]);
  }
}
