import * as tf from "@tensorflow/tfjs-core";
import type { TrainingMetric } from "./loss.js";
import { nameFunction } from "./name-function.js";
import { type TensorFlowFunction, type TensorFlowOptions, tensorFlowArguments } from "./tensor-flow-arguments.js";

/**
 * A metric of TensorFlow.js (`tf.metrics` of @tensorflow/tfjs-layers), or a function of that form `(truth, prediction) => tensor`, as a metric on logits: it
 * is given the one-hot labels and the softmax probabilities, the logits, or the one-hot predicted labels. What it gives is averaged to one number.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when it is not a function, has no name, or `on` is unknown
 * @source TensorFlow.js 4.22, tf.metrics
 * @example
 * tensorFlowMetric(tfl.metrics.categoricalAccuracy)
 * tensorFlowMetric(tfl.metrics.precision, { on: "labels" })
 */
export function tensorFlowMetric(fn: TensorFlowFunction, options: TensorFlowOptions<"probabilities" | "logits" | "labels"> = {}): TrainingMetric {
  const { name, on, inputs } = tensorFlowArguments("tensorFlowMetric", fn, options, ["probabilities", "logits", "labels"]);
  return nameFunction(
    name,
    { tensorFlow: true, on },
    (logits: tf.Tensor, target: tf.Tensor): tf.Tensor => tf.tidy(() => tf.mean(fn(...inputs(logits, target)))),
  );
}
