import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { VoxError } from "../../core/errors.js";
import { sampleName } from "../../core/sample.js";
import type { Loss, TrainingMetric } from "../../losses/index.js";
import type { TrainingBatch } from "../hosting/batch-source.js";
import { batchTensors } from "./batch-tensors.js";
import { clipGradients } from "./clip-gradients.js";
import type { Gradients } from "./gradient-sum.js";
import type { TrainingOptimizer } from "./make-optimizer.js";
import { metricColumns } from "./metric-columns.js";
import { partFigure } from "./part-figure.js";
import type { WeightAverage } from "./weight-average.js";

/** What learns: the same for every step. */
export interface Learner {
  readonly model: tfl.LayersModel;
  readonly loss: Loss;
  readonly metrics: readonly TrainingMetric[];
  readonly optimizer: TrainingOptimizer;
  readonly classes: readonly string[];
  readonly clipNorm: number | undefined;
  /** The mean of the weights over the steps, when it is kept. */
  readonly average?: WeightAverage | undefined;
}

export interface StepFigures {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The trained variables of a model. */
export function trainedVariables(model: tfl.LayersModel): { readonly name: string; readonly variable: tf.Variable }[] {
  // `read()` of a trainable layer weight is the tf.Variable itself.
  return model.trainableWeights.map((weight) => ({ name: weight.originalName, variable: weight.read() as tf.Variable }));
}

/**
 * Forward, loss, backward: what a batch would change. The gradients are the caller's.
 *
 * @throws `ERR_TRAINING` when the loss is not finite
 */
export function batchGradients(learner: Learner, batch: TrainingBatch, step: number): StepFigures & { readonly gradients: Gradients } {
  const { model, loss, classes } = learner;
  const variables = trainedVariables(model).map(({ variable }) => variable);
  const { image, target } = batchTensors(batch, model.inputs[0]!.shape, classes.length, ignoredBy(loss));
  let logits: tf.Tensor | undefined;
  const { value, grads } = tf.variableGrads(() => {
    const levels = levelsOf(model.apply(image, { training: true }) as tf.Tensor | tf.Tensor[]);
    logits = tf.keep(levels[0]!);
    const finest = logits;
    return partFigure("loss", loss.name, () => (levels.length > 1 && loss.deep ? loss.deep(levels, target) : loss(finest, target))) as tf.Scalar;
  }, variables);
  const gradients: Gradients = new Map(variables.flatMap((variable) => (grads[variable.name] ? [[variable, grads[variable.name]!]] : [])));
  try {
    const lossValue = value.dataSync()[0]!;
    if (!Number.isFinite(lossValue)) throw notFinite(lossValue, step, batch);
    return { loss: lossValue, metrics: metricColumns(learner.metrics, logits!, target, classes), gradients };
  } catch (error) {
    tf.dispose([...gradients.values()]);
    throw error;
  } finally {
    tf.dispose([value, image, target, logits!]);
  }
}

/** Clip, update, average. The gradients are disposed. */
export function updateWeights(learner: Learner, given: Gradients, learningRate: number, step: number): void {
  const { optimizer, clipNorm, average } = learner;
  let gradients = given;
  try {
    if (clipNorm !== undefined) gradients = clipGradients(gradients, clipNorm);
    optimizer.apply(gradients, learningRate);
    average?.update(step);
  } finally {
    tf.dispose([...gradients.values()]);
  }
}

/** Loss and metrics of a batch, without learning. Also gives the logits to `look`, while they live. */
export function validationStep(learner: Learner, batch: TrainingBatch, look?: (logits: tf.Tensor) => void): StepFigures {
  const { model, loss, classes } = learner;
  return tf.tidy(() => {
    const { image, target } = batchTensors(batch, model.inputs[0]!.shape, classes.length, ignoredBy(loss));
    const logits = levelsOf(model.apply(image, { training: false }) as tf.Tensor | tf.Tensor[])[0]!;
    const figures = {
      loss: partFigure("loss", loss.name, () => loss(logits, target)).dataSync()[0]!,
      metrics: metricColumns(learner.metrics, logits, target, classes),
    };
    look?.(logits);
    return figures;
  });
}

/** The logits of each level that the network is supervised at, the finest first. */
function levelsOf(output: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(output) ? output : [output];
}

/** The label that may be in a target without being a class. */
function ignoredBy(loss: Loss): number | undefined {
  const ignore = (loss.options as { readonly ignore?: unknown } | undefined)?.ignore;
  return typeof ignore === "number" ? ignore : undefined;
}

function notFinite(value: number, step: number, batch: TrainingBatch): VoxError {
  const samples = batch.parts.map((part) => sampleName(part)).join(", ");
  return new VoxError(
    `the loss must be finite, got ${value} at step ${step} on ${samples}; lower the learning rate, set clipNorm, or check these images`,
    { code: "ERR_TRAINING", where: "trainer", ...(batch.parts[0] && { sampleId: sampleName(batch.parts[0]) }) },
  );
}
