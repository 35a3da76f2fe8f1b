import type * as tfl from "@tensorflow/tfjs-layers";
import type { Loss } from "../../losses/index.js";
import type { LoadedCheckpoint } from "../bundle/load-checkpoint.js";
import type { TrainingConfig } from "../config/training-config.js";
import { type Learner, trainedVariables } from "./learner.js";
import { makeOptimizer, type OptimizerOptions } from "./make-optimizer.js";
import { weightAverage } from "./weight-average.js";

/** A network with its loss and a fresh optimizer, or with the state of a checkpoint. */
export function makeLearner(
  model: tfl.LayersModel,
  config: TrainingConfig,
  options: OptimizerOptions,
  checkpoint: LoadedCheckpoint | undefined,
): Learner {
  const { clipNorm, ema } = config.training;
  const variables = trainedVariables(model);
  const optimizer = makeOptimizer(options, variables);
  const average = ema === undefined ? undefined : weightAverage(ema, variables);
  if (checkpoint?.optimizer) {
    optimizer.restore(checkpoint.optimizer);
    average?.restore(checkpoint.optimizer.slots);
  }
  return { model, loss: config.loss, metrics: config.metrics ?? [], optimizer, average, classes: config.data.classes, clipNorm };
}

/** What is lost when network and loss do not agree on deep supervision; nothing fails then, but the user has meant something else. */
export function supervisionMismatch(network: tfl.LayersModel, loss: Loss): string | undefined {
  const levels = network.outputs.length;
  if (levels > 1 && !loss.deep)
    return `the network gives logits at ${levels} levels, but the loss looks at the finest only; wrap it in deepSupervision()`;
  if (levels === 1 && loss.deep) return "the loss supervises several levels, but the network gives logits at one only; set its deepSupervision";
  return undefined;
}
