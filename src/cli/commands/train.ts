import { join } from "node:path";
import { Command } from "commander";
import { historyFigures, previewRenderer } from "../../evaluation/index.js";
import { loadConfig, train } from "../../training/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatDuration } from "../format-duration.js";
import { resumeCommand } from "../resume-command.js";
import { serveRuns } from "../serve-runs.js";
import { type TrainingOptions, trainingOptions, trainOverrides } from "../training-options.js";
import { trainingReport } from "../training-report.js";

interface TrainCommandOptions extends CommonOptions, TrainingOptions {
  readonly resume?: boolean;
}

/** `voxstream train <config>`: trains as the config file says, into a run folder. */
export function trainCommand(): Command {
  const command = new Command("train")
    .argument("<config>", "config file (.mjs, .js or .ts) that exports defineConfig({ … })")
    .option("--resume", "continue the run from its latest checkpoint")
    .action(async (config: string, options: TrainCommandOptions) => {
      const output = commandOutput(options);
      const overrides = trainOverrides(options);
      const report = trainingReport();
      const { runs = "runs", data } = { ...(await loadConfig(config)), ...overrides };
      const dashboard = await serveRuns(options.dashboard, runs, output, { set: data });
      try {
        const result = await train(config, {
          resume: options.resume ?? false,
          overrides,
          stopOnSignals: true,
          preview: previewRenderer(),
          onEvent: report.onEvent,
        });
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
            ...(status === "stopped" ? [`continue with: ${resumeCommand("train", [config], overrides)}`] : []),
          ].join("\n"),
        );
      } finally {
        await dashboard?.close();
      }
    });
  for (const option of trainingOptions()) command.addOption(option);
  return command;
}
