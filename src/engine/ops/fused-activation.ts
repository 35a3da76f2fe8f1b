import * as tf from "@tensorflow/tfjs-core";

/** Activations that follow a convolution or a normalization in one kernel. */
export type FusedActivation = "linear" | "relu" | "leakyRelu";

export const ACTIVATION_NUMBERS: Readonly<Record<FusedActivation, number>> = { linear: 0, relu: 1, leakyRelu: 2 };

/** Slope of leaky ReLU for negative values, as in nnU-Net. */
export const LEAKY_SLOPE = 0.01;

/** The activation as TensorFlow.js operations, where no fused kernel has it. */
export function applyActivation<T extends tf.Tensor>(x: T, activation: FusedActivation, alpha: number): T {
  switch (activation) {
    case "linear":
      return x;
    case "relu":
      return tf.relu(x);
    case "leakyRelu":
      return tf.leakyRelu(x, alpha);
    default:
      return activation satisfies never;
  }
}
