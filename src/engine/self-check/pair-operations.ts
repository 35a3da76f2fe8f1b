import * as tf from "@tensorflow/tfjs-core";

/** The name of an operation of two tensors, and the operation. */
export type PairOperation = readonly [string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor];

/** Operations that floats and integers share. */
export const ARITHMETIC: readonly PairOperation[] = [
  ["add", tf.add],
  ["sub", tf.sub],
  ["mul", tf.mul],
  ["maximum", tf.maximum],
  ["minimum", tf.minimum],
  ["squaredDifference", tf.squaredDifference],
];

export const COMPARISONS: readonly PairOperation[] = [
  ["equal", tf.equal],
  ["notEqual", tf.notEqual],
  ["less", tf.less],
  ["lessEqual", tf.lessEqual],
  ["greater", tf.greater],
  ["greaterEqual", tf.greaterEqual],
];
