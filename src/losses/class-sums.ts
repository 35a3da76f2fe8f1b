import * as tf from "@tensorflow/tfjs-core";
import { softmaxStatistics } from "../engine/index.js";
import { isLabelMap } from "./is-label-map.js";
import { targetOneHot } from "./target-one-hot.js";

/** Sums over all voxels per sample and class, each of shape (batch, classes). */
export interface ClassSums {
  /** Σ p t: the soft true positives. */
  readonly overlap: tf.Tensor2D;
  /** Σ p over softmax probabilities. */
  readonly predicted: tf.Tensor2D;
  /** Σ t. */
  readonly actual: tf.Tensor2D;
}

/**
 * Softmax, then the three sums that Dice, Tversky and their relatives are made of.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → three times (batch, classes)
 */
export function classSums(logits: tf.Tensor, target: tf.Tensor): ClassSums {
  const classes = logits.shape[logits.rank - 1]!;
  // Integer labels need no one-hot copy: the engine sums them directly.
  if (isLabelMap(logits, target)) return softmaxStatistics(logits, target);
  const flatShape: [number, number, number] = [logits.shape[0]!, -1, classes];
  const p = tf.reshape(tf.softmax(logits), flatShape);
  const t = tf.reshape(targetOneHot(logits, target), flatShape);
  return { overlap: tf.sum(tf.mul(p, t), 1), predicted: tf.sum(p, 1), actual: tf.sum(t, 1) };
}
