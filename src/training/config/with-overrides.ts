import { defineConfig } from "./define-config.js";
import type { TrainingConfig } from "./training-config.js";

/** Fields of a configuration that a caller may replace, such as those with an option on the command line. */
export type TrainOverrides = Partial<
  Pick<TrainingConfig, "name" | "runs" | "seed" | "engine" | "threads" | "workers" | "memory" | "onError" | "split">
> & {
  readonly epochs?: number;
  /** Instead of the configuration's `training.monitor`. */
  readonly monitor?: string;
  /** Folder of a bundle to begin with; the configuration's `freeze` stays. */
  readonly init?: string;
};

/** The configuration with what the caller gives instead, checked anew. */
export function withOverrides(config: TrainingConfig, { epochs, monitor, init, ...fields }: TrainOverrides): TrainingConfig {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const freeze = typeof config.init === "object" ? config.init.freeze : undefined;
  return defineConfig({
    ...config,
    ...given,
    ...(init !== undefined && { init: { bundle: init, ...(freeze && { freeze }) } }),
    training: { ...config.training, ...(epochs !== undefined && { epochs }), ...(monitor !== undefined && { monitor }) },
  });
}
