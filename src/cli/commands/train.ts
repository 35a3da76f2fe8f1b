import { join } from "node:path";
import { Command, Option } from "commander";
import { historyFigures, previewRenderer } from "../../evaluation/index.js";
import { loadConfig, type TrainOverrides, train } from "../../training/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { engineOptions } from "../engine-options.js";
import { parseNaturalNumber } from "../parse-natural-number.js";
import { parsePositiveInteger } from "../parse-positive-integer.js";
import { serveRuns } from "../serve-runs.js";
import { trainingReport } from "../training-report.js";

interface TrainCommandOptions extends CommonOptions {
  readonly resume?: boolean;
  readonly engine?: string;
  readonly threads?: number;
  readonly workers?: number;
  readonly epochs?: number;
  readonly seed?: number;
  readonly name?: string;
  readonly runs?: string;
  readonly onError?: "fail" | "skip";
  readonly dashboard?: boolean | string;
}

/** `voxstream train <config>`: trains as the config file says, into a run folder. */
export function trainCommand(): Command {
  const command = new Command("train")
    .description("train as a config file says; the run folder gets events, history, checkpoints and figures")
    .argument("<config>", "config file (.mjs, .js or .ts) that exports defineConfig({ … })")
    .option("--resume", "continue the run from its latest checkpoint")
    .option("--workers <n>", "worker threads of the graph", parseNaturalNumber)
    .option("--epochs <n>", "replaces the config's number of epochs", parsePositiveInteger)
    .option("--seed <n>", "replaces the config's seed", parseNaturalNumber)
    .option("--name <name>", "name of the run's folder")
    .option("--runs <dir>", "where run folders are made")
    .addOption(new Option("--on-error <what>", "what a case that cannot be read does").choices(["fail", "skip"]))
    .option("--dashboard [port]", "serve the live page meanwhile, on a free port or the given one")
    .action(async (config: string, options: TrainCommandOptions) => {
      const output = commandOutput(options);
      const overrides: TrainOverrides = {
        ...(options.engine !== undefined && { engine: options.engine }),
        ...(options.threads !== undefined && { threads: options.threads }),
        ...(options.workers !== undefined && { workers: options.workers }),
        ...(options.epochs !== undefined && { epochs: options.epochs }),
        ...(options.seed !== undefined && { seed: options.seed }),
        ...(options.name !== undefined && { name: options.name }),
        ...(options.runs !== undefined && { runs: options.runs }),
        ...(options.onError !== undefined && { onError: options.onError }),
      };
      const report = trainingReport();
      const { runs = "runs" } = { ...(await loadConfig(config)), ...overrides };
      const dashboard = await serveRuns(options.dashboard, runs, output);
      try {
        const result = await train(config, {
          resume: options.resume ?? false,
          overrides,
          stopOnSignals: true,
          preview: previewRenderer(),
          onEvent: report.onEvent,
        });
        report.end();
        await historyFigures({ history: join(result.folder, "history.tsv"), output: join(result.folder, "figures") });
        const { status, folder, epochs, steps, loss, metrics, bestEpoch, seconds } = result;
        output.result(
          { status, folder, epochs, steps, loss: loss ?? null, metrics, bestEpoch: bestEpoch ?? null, seconds },
          `${status}: ${epochs} epochs, ${steps} steps in ${seconds.toFixed(0)} s; best epoch ${bestEpoch ?? "-"}\nmodel: ${folder}/checkpoints/best\nrun:   ${folder}`,
        );
      } finally {
        await dashboard?.close();
      }
    });
  for (const option of engineOptions()) command.addOption(option);
  return command;
}
