import { Option } from "commander";
import type { TrainOverrides } from "../training/index.js";
import { dashboardOption } from "./dashboard-option.js";
import { engineOptions } from "./engine-options.js";
import { parseNaturalNumber } from "./parse-natural-number.js";
import { parsePositiveInteger } from "./parse-positive-integer.js";

/** What the command line may replace in a config, and the live page. */
export interface TrainingOptions extends Omit<TrainOverrides, "split" | "memory"> {
  readonly dashboard?: boolean | number;
}

/** Options alike on all commands that train. */
export const trainingOptions = (): readonly Option[] => [
  new Option("--workers <n>", "worker threads of the graph").argParser(parseNaturalNumber),
  new Option("--epochs <n>", "replaces the config's number of epochs").argParser(parsePositiveInteger),
  new Option("--init <bundle>", "begin with the weights of this bundle, such as runs/kits/checkpoints/best"),
  new Option("--seed <n>", "replaces the config's seed").argParser(parseNaturalNumber),
  new Option("--name <name>", "name of the run's folder"),
  new Option("--runs <dir>", "where run folders are made"),
  new Option(
    "--on-error <what>",
    "what a case that cannot be read does: end the run (unless the config says otherwise), or be reported and left out",
  ).choices(["fail", "skip"]),
  dashboardOption(),
  ...engineOptions(),
];

/** The fields of the config that were given on the command line. */
export function trainOverrides({
  engine,
  threads,
  workers,
  epochs,
  seed,
  name,
  runs,
  onError,
  init,
}: TrainingOptions): Omit<TrainOverrides, "split"> {
  return {
    ...(engine !== undefined && { engine }),
    ...(threads !== undefined && { threads }),
    ...(workers !== undefined && { workers }),
    ...(epochs !== undefined && { epochs }),
    ...(seed !== undefined && { seed }),
    ...(name !== undefined && { name }),
    ...(runs !== undefined && { runs }),
    ...(onError !== undefined && { onError }),
    ...(init !== undefined && { init }),
  };
}
