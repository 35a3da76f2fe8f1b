import * as tf from "@tensorflow/tfjs-core";
import type { TrainingBatch } from "../hosting/batch-source.js";
import { addStep, epochMeans, NO_SUMS } from "../training-state.js";
import { type Gradients, gradientSum } from "./gradient-sum.js";
import { batchGradients, type Learner, type StepFigures } from "./learner.js";

export interface LearnGroupOptions {
  readonly learner: Learner;
  readonly first: TrainingBatch;
  /** Batches that make one step. */
  readonly size: number;
  readonly step: number;
  /** The group's next batch; undefined when there is none left for it. */
  readonly next: () => Promise<TrainingBatch | undefined>;
  /** Before each batch, with a number of its own. */
  readonly onBatch?: ((number: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/** What the batches of one step say together. */
export interface LearnedGroup {
  readonly figures: StepFigures;
  readonly gradients: Gradients;
  /** Of the last batch: where to go on. */
  readonly position: TrainingBatch["position"];
  readonly samples: number;
  readonly workMs: number;
}

/**
 * Gradients and figures of the batches of one step, their means by numbers of samples, as if they were one large batch. Undefined when a signal comes in
 * between: what the batches changed in the network is undone then, and they come again when the run is resumed.
 *
 * @throws `ERR_TRAINING` when the loss is not finite
 */
export async function learnGroup({ learner, first, size, step, next, onBatch, signal }: LearnGroupOptions): Promise<LearnedGroup | undefined> {
  const sum = gradientSum();
  // Moving statistics follow each batch.
  const before = size > 1 ? learner.model.nonTrainableWeights.map((weight) => ({ weight, value: tf.clone(weight.read()) })) : [];
  let sums = NO_SUMS;
  let workMs = 0;
  let isWhole = false;
  try {
    for (let batch = first, count = 1; ; count++) {
      onBatch?.((step - 1) * size + count);
      const began = performance.now();
      const { gradients, ...figures } = await batchGradients(learner, batch, step);
      sum.add(gradients, batch.parts.length);
      sums = addStep(sums, { ...figures, samples: batch.parts.length, waitMs: 0, totalMs: 0 });
      const { position } = batch;
      batch.release();
      workMs += performance.now() - began;
      const following = count < size ? await next() : undefined;
      if (count < size && signal.aborted) return undefined;
      if (following === undefined) {
        isWhole = true;
        // The mean of one figure may differ from it in the last bit.
        return { figures: count === 1 ? figures : epochMeans(sums), gradients: sum.take(), position, samples: sums.samples, workMs };
      }
      batch = following;
    }
  } finally {
    if (!isWhole) {
      sum.dispose();
      for (const { weight, value } of before) weight.write(value);
    }
    tf.dispose(before.map(({ value }) => value));
  }
}
