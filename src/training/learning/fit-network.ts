import type * as tfl from "@tensorflow/tfjs-layers";
import type { TrainingConfig } from "../config/training-config.js";
import { freezeLayers } from "./freeze-layers.js";
import { type InitReport, initWeights } from "./init-weights.js";
import { requireMonitor } from "./require-monitor.js";

export interface FitNetworkOptions {
  readonly config: TrainingConfig;
  readonly isValidated: boolean;
  /** It has the weights of a checkpoint already. */
  readonly isResumed: boolean;
}

/**
 * Makes a network ready for a configuration: the weights of `init`, the layers that do not learn. Tells which layers begin anew.
 *
 * @throws `ERR_CONFIG`, `ERR_OPTION`, `ERR_BUNDLE` where loss, `init` or `training.monitor` do not fit it
 */
export async function fitNetwork(
  network: tfl.LayersModel,
  { config, isValidated, isResumed }: FitNetworkOptions,
): Promise<(InitReport & { readonly bundle: string }) | undefined> {
  const init = typeof config.init === "string" ? { bundle: config.init } : config.init;
  config.loss.requireLevels?.(network.outputs.length);
  const report = init && !isResumed ? { ...(await initWeights(network, init.bundle)), bundle: init.bundle } : undefined;
  if (init?.freeze) freezeLayers(network, init.freeze);
  requireMonitor(config, isValidated, network);
  return report;
}
