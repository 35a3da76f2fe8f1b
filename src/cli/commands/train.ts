import { join } from "node:path";
import { Command } from "commander";
import { historyFigures, previewRenderer } from "../../evaluation/index.js";
import { loadConfig, train } from "../../training/index.js";
import { launchedRanks } from "../../training/ranks/launched-ranks.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatDuration } from "../format-duration.js";
import { launchRanks } from "../launch-ranks.js";
import { parsePositiveInteger } from "../parse-positive-integer.js";
import { resumeCommand } from "../resume-command.js";
import { serveRuns } from "../serve-runs.js";
import { type TrainingOptions, trainingOptions, trainOverrides } from "../training-options.js";
import { trainingReport } from "../training-report.js";

interface TrainCommandOptions extends CommonOptions, TrainingOptions {
  readonly resume?: boolean;
  readonly ranks?: number;
}

/** `voxstream train <config>`: trains as the config file says, into a run folder. */
export function trainCommand(): Command {
  const command = new Command("train")
    .argument("<config>", "config file (.mjs, .js or .ts) that exports defineConfig({ … })")
    .option("--resume", "continue the run from its latest checkpoint")
    .option(
      "--ranks <n>",
      "train on n processes of this machine at once, one graphics card each where there are any (needs Open MPI)",
      parsePositiveInteger,
    )
    .action(async (config: string, options: TrainCommandOptions) => {
      const launched = launchedRanks();
      if (options.ranks !== undefined && options.ranks > 1 && launched.size === 1) {
        process.exitCode = await launchRanks(options.ranks);
        return;
      }
      const isFirst = launched.rank === 0;
      const output = commandOutput(options);
      const overrides = trainOverrides(options);
      const report = trainingReport();
      const { runs = "runs", data } = { ...(await loadConfig(config)), ...overrides };
      const dashboard = isFirst ? await serveRuns(options.dashboard, runs, output, { set: data }) : undefined;
      try {
        const result = await train(config, {
          resume: options.resume ?? false,
          overrides,
          stopOnSignals: true,
          ...(isFirst && { preview: previewRenderer(), onEvent: report.onEvent }),
        });
        if (!isFirst) return;
        report.end();
        const { status, folder, epochs, steps, loss, metrics, bestEpoch, seconds } = result;
        // A run that was stopped in its first epoch has no curves yet.
        if (epochs > 0) await historyFigures({ history: join(folder, "history.tsv"), output: join(folder, "figures") });
        output.result(
          { status, folder, epochs, steps, loss: loss ?? null, metrics, bestEpoch: bestEpoch ?? null, seconds },
          [
            `${status}: ${epochs} epoch${epochs === 1 ? "" : "s"}, ${steps} step${steps === 1 ? "" : "s"} in ${formatDuration(seconds)}${bestEpoch === undefined ? "" : `; best epoch ${bestEpoch}`}`,
            ...(bestEpoch === undefined ? [] : [`model: ${join(folder, "checkpoints", "best")}`]),
            `run:   ${folder}`,
            ...(status === "stopped"
              ? [`continue with: ${resumeCommand("train", [config], { ...overrides, ...(launched.size > 1 && { ranks: launched.size }) })}`]
              : []),
          ].join("\n"),
        );
      } finally {
        await dashboard?.close();
      }
    });
  for (const option of trainingOptions()) command.addOption(option);
  return command;
}
