import * as tf from "@tensorflow/tfjs-core";
import { Random } from "../../core/random.js";
import { elementCount, type Shape5, type Triple } from "../../core/shape.js";
import type { TrainingConfig } from "../config/training-config.js";
import type { TrainingBatch } from "../hosting/batch-source.js";
import { batchGradients, trainedVariables, updateWeights } from "./learner.js";
import { makeOptimizer, type OptimizerOptions } from "./make-optimizer.js";

export interface StepCostOptions {
  readonly patch: Triple;
  /** Patches per batch. */
  readonly batch: number;
}

/** What a network takes, whatever machine it runs on. */
export interface StepCost {
  /** Numbers in all weights, and in those that are trained. */
  readonly parameters: number;
  readonly trainable: number;
  /** Bytes of all tensors at the moment of a training step when they are most: weights, moments of the optimizer, activations, gradients. */
  readonly peakBytes: number;
}

/**
 * Counts the parameters of a configuration's network and the bytes of its tensors at the peak of one training step, on noise. The engine must have been
 * started. What the engine needs beside tensors, such as scratch memory, is not in it.
 *
 * @throws `ERR_MODEL` when the patch does not fit
 * @example
 * const { parameters, peakBytes } = await stepCost(config, { patch: [32, 64, 64], batch: 2 });
 */
export async function stepCost(
  { data, model: spec, loss, training, seed = 0 }: TrainingConfig,
  { patch, batch }: StepCostOptions,
): Promise<StepCost> {
  const classes = data.classes.length;
  const before = tf.memory().numBytes;
  const model = spec.build({ shape: [...patch, data.channels], classes, seed });
  const options: OptimizerOptions = typeof training.optimizer === "object" ? training.optimizer : { name: training.optimizer ?? "adam" };
  const optimizer = makeOptimizer(options, trainedVariables(model));
  try {
    const learner = { model, loss, metrics: [], optimizer, classes: data.classes, clipNorm: training.clipNorm };
    const profile = await tf.profile(async () => {
      const { gradients } = await batchGradients(learner, noise([batch, ...patch, data.channels], classes, seed), 1);
      await updateWeights(learner, gradients, 1e-6, 1);
      return tf.scalar(0);
    });
    (profile.result as tf.Tensor).dispose();
    const count = (weights: typeof model.weights): number => weights.reduce((sum, { shape }) => sum + elementCount(shape as number[]), 0);
    return { parameters: count(model.weights), trainable: count(model.trainableWeights), peakBytes: profile.peakBytes - before };
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}

/** A batch that is trained on as any other, without a graph behind it. */
function noise(shape: Shape5, classes: number, seed: number): TrainingBatch {
  const random = new Random("step cost", seed);
  const voxels = elementCount(shape) / shape[4];
  return {
    image: { data: Float32Array.from({ length: elementCount(shape) }, () => random.next() - 0.5), shape },
    label: { data: Uint8Array.from({ length: voxels }, () => random.integer(0, classes - 1)), shape: [shape[0], shape[1], shape[2], shape[3], 1] },
    parts: [],
    epoch: 0,
    position: {},
    release: () => {},
  };
}
