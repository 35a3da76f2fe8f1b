import type { Json } from "../../core/json.js";
import type { GraphSettings } from "../hosting/graph-messages.js";
import type { TrainingConfig } from "./training-config.js";

/** The plain parts of a configuration, for the manifest; functions and data sets are described elsewhere in it. */
export function summarizeConfig(config: TrainingConfig, settings: GraphSettings): Json {
  const { schedule, callbacks, ...training } = config.training;
  const plain = {
    ...settings,
    split: config.split,
    validation: config.validation && { ...config.validation, graph: config.validation.graph && "own" },
    training: { ...training, schedule: schedule && { name: schedule.name, options: schedule.options }, callbacks: callbacks?.length },
  };
  // Through JSON, which leaves out what is undefined.
  return JSON.parse(JSON.stringify(plain)) as Json;
}
