import type { Json } from "../../core/json.js";
import { readBundleFile } from "../bundle/load-bundle.js";
import { sha256 } from "../bundle/save-bundle.js";
import type { InitOptions, TrainingConfig } from "../config/training-config.js";
import type { OptimizerOptions } from "../learning/make-optimizer.js";
import type { PreparedTraining } from "../prepare-training.js";

/** All that the weights of a run depend on: a checkpoint of another identity is never resumed. */
export async function trainingIdentity({
  config,
  prepared,
  optimizer,
  init,
  ranks,
}: {
  readonly config: TrainingConfig;
  readonly prepared: PreparedTraining;
  readonly optimizer: OptimizerOptions;
  readonly init: InitOptions | undefined;
  readonly ranks: number;
}): Promise<Record<string, Json>> {
  const { seed = 0, data, model, loss, training } = config;
  const { summary, fingerprint, trainingIds } = prepared;
  return {
    seed,
    classes: data.classes,
    channels: data.channels,
    model: { name: model.name, options: model.options },
    loss: { name: loss.name, options: loss.options ?? {} },
    optimizer: { ...optimizer },
    dataSet: fingerprint,
    trainingCases: sha256(trainingIds.join("\n")),
    patch: summary.patch ?? null,
    preprocessing: summary.preprocessing.map(({ name, params }) => ({ name, params })),
    ...(training.accumulate !== undefined && { accumulate: training.accumulate }),
    ...(training.ema !== undefined && { ema: training.ema }),
    ...(ranks > 1 && { ranks }),
    ...(init && { init: { weights: (await readBundleFile(init.bundle)).weights.sha256, freeze: init.freeze ?? [] } }),
  };
}
