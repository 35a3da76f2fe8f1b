import * as tf from "@tensorflow/tfjs-core";

/** Per-class values without the background column, unless it counts. */
export function foregroundOf(perClass: tf.Tensor2D, background: boolean): tf.Tensor2D {
  return background ? perClass : tf.slice(perClass, [0, 1]);
}
