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
export async function batchGradients(learner: Learner, batch: TrainingBatch, step: number): Promise<StepFigures & { readonly gradients: Gradients }> {
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
    const [lossValue] = (await value.data()) as unknown as [number];
    if (!Number.isFinite(lossValue)) throw notFinite(lossValue, step, batch);
    return { loss: lossValue, metrics: await metricColumns(learner.metrics, logits!, target, classes), gradients };
  } catch (error) {
    tf.dispose([...gradients.values()]);
    throw error;
  } finally {
    tf.dispose([value, image, target, logits!]);
  }
}

/** Clip, update, average. The gradients are disposed. */
export async function updateWeights(learner: Learner, given: Gradients, learningRate: number, step: number): Promise<void> {
  const { optimizer, clipNorm, average } = learner;
  let gradients = given;
  try {
    if (clipNorm !== undefined) gradients = await clipGradients(gradients, clipNorm);
    optimizer.apply(gradients, learningRate);
    average?.update(step);
  } finally {
    tf.dispose([...gradients.values()]);
  }
}

/** Loss and metrics of a batch, without learning. Also gives the logits to `look`, while they live. */
export async function validationStep(learner: Learner, batch: TrainingBatch, look?: (logits: tf.Tensor) => Promise<void>): Promise<StepFigures> {
  const { model, loss, classes } = learner;
  const { logits, target, value } = tf.tidy(() => {
    const tensors = batchTensors(batch, model.inputs[0]!.shape, classes.length, ignoredBy(loss));
    const finest = levelsOf(model.apply(tensors.image, { training: false }) as tf.Tensor | tf.Tensor[])[0]!;
    return { logits: finest, target: tensors.target, value: partFigure("loss", loss.name, () => loss(finest, tensors.target)) };
  });
  try {
    const [lossValue] = (await value.data()) as unknown as [number];
    const figures = { loss: lossValue, metrics: await metricColumns(learner.metrics, logits, target, classes) };
    await look?.(logits);
    return figures;
  } finally {
    tf.dispose([logits, target, value]);
  }
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
