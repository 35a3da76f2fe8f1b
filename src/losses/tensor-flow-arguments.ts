// Internal: part of the losses; its types are of the library.
import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { requireTarget } from "./class-probabilities.js";

/** The form of TensorFlow.js' losses and metrics. */
export type TensorFlowFunction = (truth: tf.Tensor, prediction: tf.Tensor) => tf.Tensor;

/** What the function is given as the prediction; `"labels"`: one-hot, of the most probable class. */
export type TensorFlowInput = "probabilities" | "logits" | "labels";

export interface TensorFlowOptions<Input extends TensorFlowInput> {
  /** What the function is given as the prediction; probabilities by default. */
  readonly on?: Input;
  /** What run folders and logs call it; the function's own name by default. */
  readonly name?: string;
}

export interface TensorFlowArguments<Input extends TensorFlowInput> {
  readonly name: string;
  readonly on: Input;
  readonly inputs: (logits: tf.Tensor, target: tf.Tensor) => [truth: tf.Tensor, prediction: tf.Tensor];
}

/** Checks the options, and makes of logits and target what a function of TensorFlow.js takes. */
export function tensorFlowArguments<Input extends TensorFlowInput>(
  where: string,
  fn: TensorFlowFunction,
  options: TensorFlowOptions<Input>,
  choices: readonly Input[],
): TensorFlowArguments<Input> {
  requireOption(typeof fn === "function", where, "fn", "a function (truth, prediction) => tensor, such as tf.losses.huberLoss", fn);
  requireKnownOptions(where, options, ["on", "name"]);
  // TensorFlow.js calls its operations `huberLoss__op`.
  const { on = "probabilities" as Input, name = fn.name.replace(/_+op$/, "") } = options;
  requireOption(choices.includes(on), where, "on", choices.map((choice) => JSON.stringify(choice)).join(" or "), on);
  requireOption(/^[\w.-]+$/.test(name), where, "name", "given for a function without one: letters, digits, '.', '_' and '-'", name);
  return {
    name,
    on,
    inputs(logits, target) {
      const isOneHot = requireTarget(logits, target) > 1;
      const classes = logits.shape.at(-1)!;
      const oneHot = (labels: tf.Tensor): tf.Tensor =>
        tf.reshape(tf.cast(tf.oneHot(tf.cast(tf.reshape(labels, [-1]), "int32"), classes), "float32"), logits.shape);
      const truth = isOneHot ? tf.cast(target, "float32") : oneHot(target);
      if (on === "logits") return [truth, logits];
      return [truth, on === "labels" ? oneHot(tf.argMax(logits, -1)) : tf.softmax(logits)];
    },
  };
}
