import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { didYouMean } from "../../core/did-you-mean.js";
import { VoxError } from "../../core/errors.js";
import type { TrainingConfig } from "../config/training-config.js";
import { metricColumns } from "./metric-columns.js";
import { caseColumns } from "./validate-cases.js";

/**
 * Refuses a `training.monitor` that no column of `history.tsv` will have. Whether a metric has a column per class is known only by what it gives: with a network,
 * it is tried on zeros of the shape of its logits.
 *
 * @throws `ERR_CONFIG` with the columns that there will be
 */
export function requireMonitor(config: TrainingConfig, isValidated: boolean, model?: tfl.LayersModel): void {
  const { monitor } = config.training;
  if (monitor === undefined) return;
  const columns = columnsOf(config, isValidated, () => config.data.classes);
  if (!columns.includes(monitor)) throw unknown(monitor, columns);
  if (!model || columnsOf(config, isValidated, () => []).includes(monitor)) return;
  const certain = columnsOf(config, isValidated, (at) => (hasClasses(config, at, model) ? config.data.classes : []));
  if (!certain.includes(monitor)) throw unknown(monitor, certain);
}

/** Columns but `epoch` and `lr`; `classesOf` says which classes a metric has columns of. */
function columnsOf(config: TrainingConfig, isValidated: boolean, classesOf: (metric: number) => readonly string[]): readonly string[] {
  const { metrics = [], validation = {}, data } = config;
  const { patches = true, cases } = validation;
  const own = ["loss", ...metrics.flatMap(({ name }, at) => [name, ...classesOf(at).map((one) => `${name}_${one}`)])];
  const validated = [...(patches ? own : []), ...(cases ? caseColumns(data.classes) : [])];
  return [...own, ...(isValidated ? validated.map((name) => `val_${name}`) : [])];
}

/** What fails here may need a real batch, and is told with it. */
function hasClasses({ metrics = [], data }: TrainingConfig, at: number, model: tfl.LayersModel): boolean {
  const shape = model.outputs[0]!.shape.map((extent, axis) => (axis === 0 ? 1 : extent));
  if (shape.includes(null)) return true;
  return tf.tidy(() => {
    const logits = tf.zeros(shape as number[]);
    const target = tf.zeros([...(shape.slice(0, -1) as number[]), 1], "int32");
    try {
      return Object.keys(metricColumns([metrics[at]!], logits, target, data.classes)).length > 1;
    } catch {
      return true;
    }
  });
}

function unknown(monitor: string, columns: readonly string[]): VoxError {
  const isMissing = monitor.startsWith("val_") && !columns.some((name) => name.startsWith("val_"));
  const hint = isMissing ? "; columns of validation need a split" : didYouMean(monitor, columns);
  const sentence = `training.monitor must be one of ${columns.join(", ")}, got "${monitor}"${hint}`;
  return new VoxError(sentence, { code: "ERR_CONFIG", where: "config" });
}
