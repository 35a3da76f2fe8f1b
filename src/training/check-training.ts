import { type EngineName, startEngine } from "../engine/index.js";
import type { TrainingConfig } from "./config/training-config.js";
import { inspectGraph } from "./hosting/inspect-graph.js";
import { buildNetwork } from "./learning/build-network.js";
import { fitNetwork } from "./learning/fit-network.js";
import { requireMonitor } from "./learning/require-monitor.js";
import { requireOverlap } from "./learning/require-overlap.js";

/**
 * Refuses a configuration that `train` would refuse before it reads data, for those who write something before they train.
 *
 * @throws what `train` throws then
 */
export async function checkTraining(config: TrainingConfig, { isValidated }: { readonly isValidated: boolean }): Promise<void> {
  const { patch } = inspectGraph(config);
  requireMonitor(config, isValidated);
  requireOverlap(config, patch);
  if (!patch) return;
  const { seed = 0, data, model, engine, threads } = config;
  // The engine checks the name.
  await startEngine({ seed, ...(engine !== undefined && { engine: engine as EngineName | "auto" }), ...(threads !== undefined && { threads }) });
  const network = buildNetwork(model, { patch, channels: data.channels, classes: data.classes.length, seed });
  try {
    await fitNetwork(network, { config, isValidated, isResumed: false });
  } finally {
    network.dispose();
  }
}
