import { Command, Option } from "commander";
import type { Json } from "../../core/json.js";
import { crossValidate, evaluationTable } from "../../evaluation/index.js";
import { loadConfig } from "../../training/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatDuration } from "../format-duration.js";
import { parseNaturalNumber } from "../parse-natural-number.js";
import { parsePositiveInteger } from "../parse-positive-integer.js";
import { progressLine } from "../progress-line.js";
import { serveRuns } from "../serve-runs.js";
import { stopSignal } from "../stop-signal.js";
import { type TrainingOptions, trainingOptions, trainOverrides } from "../training-options.js";
import { trainingReport } from "../training-report.js";

interface CrossvalCommandOptions extends CommonOptions, TrainingOptions {
  readonly folds?: number;
  readonly splits?: string;
  readonly fold?: number;
  readonly resume?: boolean;
  readonly checkpoint: "latest" | "best";
  readonly overlays: boolean;
}

/** `voxstream crossval <config> --folds k`: trains each fold, predicts and scores its held-out cases, sums up, reports. */
export function crossvalCommand(): Command {
  const command = new Command("crossval")
    .argument("<config>", "config file (.mjs, .js or .ts) that exports defineConfig({ … })")
    .option("--folds <k>", "number of folds; 5, or as many as --splits has", parsePositiveInteger)
    .option("--splits <file>", "a splits.json to use (also nnU-Net's), instead of dealing the cases by the seed")
    .option("--fold <i>", "only this fold, counted from 0, such as on another machine", parseNaturalNumber)
    .option("--resume", "continue the last run of this name: finished folds stay, an interrupted one goes on")
    .addOption(
      new Option("--checkpoint <which>", "which weights predict; best needs split: { validation: share } in the config")
        .choices(["latest", "best"])
        .default("latest"),
    )
    .option("--no-overlays", "without pictures of the predictions")
    .action((config: string, options: CrossvalCommandOptions) => runCrossval(config, options));
  for (const option of trainingOptions()) command.addOption(option);
  return command;
}

async function runCrossval(config: string, options: CrossvalCommandOptions): Promise<void> {
  const output = commandOutput(options);
  const overrides = trainOverrides(options);
  const { runs = "runs", data } = { ...(await loadConfig(config)), ...overrides };
  const dashboard = await serveRuns(options.dashboard, runs, output, { set: data });
  const { signal, forget } = stopSignal("crossval");
  const line = progressLine();
  let report = trainingReport(line);
  try {
    const result = await crossValidate({
      config,
      ...(options.folds !== undefined && { folds: options.folds }),
      ...(options.splits !== undefined && { splits: options.splits }),
      ...(options.fold !== undefined && { fold: options.fold }),
      resume: options.resume ?? false,
      checkpoint: options.checkpoint,
      overlays: options.overlays,
      overrides,
      signal,
      onFold: ({ fold, folds, division }) => {
        report = trainingReport(line);
        line.end(`fold ${fold} (0..${folds - 1}): ${division.training.length} cases train, ${division.validation.length} are held out`);
      },
      onEvent: (event) => report.onEvent(event),
      onPredict: ({ id, state, done, total, windows, seconds = 0, message }) => {
        if (state === "predicting") line.update(`${id} (${done + 1}/${total})${windows ? `: patch ${windows.done}/${windows.total}` : ""}`);
        if (state === "written") line.end(`${id} predicted in ${seconds.toFixed(1)} s`);
        if (state === "failed") line.end(`${id} failed: ${message}`);
      },
    });
    line.end();
    const { status, folder, splits, finished, summary, report: page, seconds } = result;
    const json = { status, folder, folds: splits.length, finished: [...finished], seconds, report: page ?? null };
    if (summary) {
      // Plain data, as it stands in summary.json.
      const plain = JSON.parse(JSON.stringify(summary)) as Json;
      output.result(
        { ...json, summary: plain },
        [evaluationTable(summary), "", `${splits.length} folds, done in ${formatDuration(seconds)}`, `report: ${page}`, `run:    ${folder}`].join(
          "\n",
        ),
      );
      return;
    }
    const left = splits.map((_, index) => index).filter((index) => !finished.includes(index));
    output.result(
      json,
      `${status === "stopped" ? "stopped" : "done as asked"}: folds ${left.join(", ")} of ${splits.length} are not finished; continue with: voxstream crossval ${config} --resume\nrun: ${folder}`,
    );
  } finally {
    forget();
    await dashboard?.close();
  }
}
