import type * as tf from "@tensorflow/tfjs-core";
import type { Json } from "../core/json.js";

/**
 * A loss on logits; the softmax is part of it. A user's own function of this shape is a loss too.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) int32 label indices, or one-hot (batch, …, classes) → scalar
 */
export interface Loss {
  (logits: tf.Tensor, target: tf.Tensor): tf.Scalar;
  /** As run folders write them down; a number named `ignore` is a label that may be in the target without being a class. */
  readonly options?: Json;
  /** Refuses a number of classes that the options do not fit, before any data is read. */
  requireClasses?(classes: number): void;
  /** Refuses a number of levels that the options do not fit, before any data is read. */
  requireLevels?(levels: number): void;
  /** For networks that give logits at several levels, the finest first. */
  deep?(logits: readonly tf.Tensor[], target: tf.Tensor): tf.Scalar;
}

/** A figure reported beside the loss: one number, or one per class. Takes what a loss takes; not differentiated. */
export interface TrainingMetric {
  (logits: tf.Tensor, target: tf.Tensor): tf.Tensor;
  readonly options?: Json;
}
