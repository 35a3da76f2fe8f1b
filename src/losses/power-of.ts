// Internal: part of the losses, not of the library.
import * as tf from "@tensorflow/tfjs-core";

/** What is taken for 0, where a root has no slope. */
const LEAST = 1e-7;

/** `x^exponent` for x >= 0, with a finite gradient at 0 for every exponent >= 0. */
export function powerOf<T extends tf.Tensor>(x: T, exponent: number): T {
  if (exponent === 1) return x;
  return tf.pow(tf.maximum(x, LEAST), exponent);
}
