import * as tf from "@tensorflow/tfjs-core";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";
import { type TensorFlowFunction, type TensorFlowOptions, tensorFlowArguments } from "./tensor-flow-arguments.js";

/**
 * A loss of TensorFlow.js, or a function of that form `(truth, prediction) => tensor`, as a loss on logits: it is given the one-hot labels and the softmax
 * probabilities (or the logits), and the mean over whatever it gives is the loss.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when it is not a function, has no name, or `on` is unknown
 * @source TensorFlow.js 4.22, tf.losses
 * @example
 * tensorFlowLoss(tf.losses.huberLoss)
 * tensorFlowLoss(tf.losses.softmaxCrossEntropy, { on: "logits" })
 */
export function tensorFlowLoss(fn: TensorFlowFunction, options: TensorFlowOptions<"probabilities" | "logits"> = {}): Loss {
  const { name, on, inputs } = tensorFlowArguments("tensorFlowLoss", fn, options, ["probabilities", "logits"]);
  return nameFunction(
    name,
    { tensorFlow: true, on },
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar => tf.tidy(() => tf.mean(fn(...inputs(logits, target))) as tf.Scalar),
  );
}
