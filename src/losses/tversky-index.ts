// Internal: part of the losses, not of the library.
import * as tf from "@tensorflow/tfjs-core";
import type { ClassSums } from "./class-sums.js";

export interface TverskyWeights {
  /** Weight of false negatives. */
  readonly alpha: number;
  /** Weight of false positives. */
  readonly beta: number;
  readonly smooth: number;
}

/** `(tp + s) / (tp + α fn + β fp + s)` per sample and class. */
export function tverskyIndex({ overlap, predicted, actual }: ClassSums, { alpha, beta, smooth }: TverskyWeights): tf.Tensor2D {
  const missed = tf.mul(tf.sub(actual, overlap), alpha);
  const falseAlarm = tf.mul(tf.sub(predicted, overlap), beta);
  return tf.div(tf.add(overlap, smooth), tf.add(tf.add(overlap, tf.add(missed, falseAlarm)), smooth));
}
