import * as tf from "@tensorflow/tfjs-core";
import { softmaxStatistics } from "../engine/index.js";
import { classProbabilities, type IgnoreOptions, requireTarget } from "./class-probabilities.js";

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
 * Softmax, then the sums that Dice, Tversky and cross-entropy are made of; for label indices in one pass of the engine, without probabilities in memory,
 * unless a label is ignored.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) int32 or (batch, …, classes) one-hot → four times (batch, classes)
 * @throws `ERR_SHAPE` when target and logits differ in batch or extent, or a label is to be ignored in a one-hot target
 */
export function classSums(logits: tf.Tensor, target: tf.Tensor, { ignore }: IgnoreOptions = {}): ClassSums {
  if (requireTarget(logits, target) === 1 && ignore === undefined) return softmaxStatistics(logits, tf.cast(target, "int32"));
  const { p, logP, t } = classProbabilities(logits, target, { ignore });
  return { overlap: tf.sum(tf.mul(p, t), 1), predicted: tf.sum(p, 1), actual: tf.sum(t, 1), surprise: tf.neg(tf.sum(tf.mul(t, logP), 1)) };
}
