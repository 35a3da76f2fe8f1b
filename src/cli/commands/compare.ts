import { Command, InvalidArgumentError, Option } from "commander";
import { didYouMean } from "../../core/did-you-mean.js";
import type { Json } from "../../core/json.js";
import { compare, comparisonTable, standardMetrics } from "../../evaluation/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatDuration } from "../format-duration.js";
import { formatTable } from "../format-table.js";
import { parseNames } from "../parse-names.js";
import { parsePositiveInteger } from "../parse-positive-integer.js";
import { parseShare } from "../parse-share.js";
import { progressLine } from "../progress-line.js";
import { resumeCommand } from "../resume-command.js";
import { serveRuns } from "../serve-runs.js";
import { stopSignal } from "../stop-signal.js";
import { type TrainingOptions, trainingOptions, trainOverrides } from "../training-options.js";
import { trainingReport } from "../training-report.js";

interface CompareCommandOptions extends CommonOptions, Omit<TrainingOptions, "seed"> {
  readonly folds?: number;
  readonly holdOut?: number;
  readonly splits?: string;
  readonly seeds?: readonly number[];
  readonly baseline?: string;
  readonly only?: readonly string[];
  readonly resume?: boolean;
  readonly checkpoint: "latest" | "best";
  readonly metric: string;
  readonly overlays: boolean;
}

/** `voxstream compare <configs...>`: trains variants on the same folds and seeds, and tells which is better, by how much, and at what cost. */
export function compareCommand(): Command {
  const command = new Command("compare")
    .description(
      "train networks, losses or other variants on the same folds and seeds; one table with intervals, paired differences and costs, figures, HTML report",
    )
    .argument("<configs...>", "a file that exports defineComparison({ base, variants }), or two config files or more")
    .option("--folds <k>", "folds of the cross-validation that every variant goes through; 5", parsePositiveInteger)
    .option("--hold-out <share>", "instead of folds: hold out this share of the cases once", parseShare)
    .option("--splits <file>", "a splits.json to use (also nnU-Net's), instead of dealing the cases by the seed")
    .option("--seeds <list>", "train every variant once per seed, such as 0,1,2", parseSeeds)
    .option("--baseline <variant>", "the variant that the others are compared with; the first")
    .option("--only <variants>", "run only these, such as on another machine: unet,residual", parseNames)
    .option("--resume", "continue the last run of this name: what is finished stays, new variants join")
    .option("--metric <column>", "what the table shows: dice, iou, hd95, assd, nsd_1mm, …", parseMetric, "dice")
    .addOption(
      new Option("--checkpoint <which>", "which weights predict; best needs split: { validation: share } in the config")
        .choices(["latest", "best"])
        .default("latest"),
    )
    .option("--overlays", "with pictures of the predictions", false)
    .action((configs: readonly string[], options: CompareCommandOptions) => runCompare(configs, options));
  for (const option of trainingOptions()) if (option.long !== "--seed") command.addOption(option);
  return command;
}

async function runCompare(configs: readonly string[], options: CompareCommandOptions): Promise<void> {
  const output = commandOutput(options);
  const { seed: _, ...overrides } = trainOverrides(options);
  let dashboard: Awaited<ReturnType<typeof serveRuns>>;
  const { signal, forget } = stopSignal("compare");
  const line = progressLine();
  let report = trainingReport(line);
  try {
    const { folds, holdOut, splits, seeds, baseline, only, resume = false, checkpoint, overlays, metric } = options;
    const result = await compare({
      comparison: configs,
      ...(folds !== undefined && { folds }),
      ...(holdOut !== undefined && { holdOut }),
      ...(splits !== undefined && { splits }),
      ...(seeds !== undefined && { seeds }),
      ...(baseline !== undefined && { baseline }),
      ...(only !== undefined && { only }),
      resume,
      checkpoint,
      overlays,
      overrides,
      signal,
      onBegin: async ({ runs, data }) => {
        dashboard = await serveRuns(options.dashboard, runs, output, { set: data });
      },
      onTurn: ({ variant, seed, fold, done, total }) => {
        report = trainingReport(line);
        line.end(`${done + 1}/${total}: ${variant}, fold ${fold}, seed ${seed}`);
      },
      onEvent: (event) => report.onEvent(event),
      onPredict: ({ id, state, done, total, message }) => {
        if (state === "predicting") line.update(`${id} (${done + 1}/${total})`);
        if (state === "failed") line.end(`${id} failed: ${message}`);
      },
    });
    line.end();
    const { status, folder, summary, report: page, seconds } = result;
    const json = { status, folder, seconds, report: page ?? null };
    if (!summary) {
      output.result(
        json,
        `${status === "stopped" ? "stopped" : "done as asked"}: not all variants are finished; continue with: ${resumeCommand("compare", configs, { ...overrides, ...comparing(options) })}\nrun: ${folder}`,
      );
      return;
    }
    // Plain data, as it stands in summary.json.
    const plain = JSON.parse(JSON.stringify(summary)) as Json;
    output.result(
      { ...json, summary: plain },
      [
        formatTable(comparisonTable(summary, { metric })),
        "",
        `${summary.cases} cases, seeds ${summary.seeds.join(", ")}; mean with 95 % bootstrap interval over cases; p: Wilcoxon signed-rank against ${summary.baseline}, adjusted after Holm`,
        `done in ${formatDuration(seconds)}`,
        `report: ${page}`,
        `run:    ${folder}`,
      ].join("\n"),
    );
  } finally {
    forget();
    await dashboard?.close();
  }
}

/** What of a comparison is in no file: without it, other folds would be wanted, or their weights be others. */
function comparing({ seeds, baseline, checkpoint, overlays, metric }: CompareCommandOptions): object {
  return {
    ...(seeds && { seeds }),
    ...(baseline !== undefined && { baseline }),
    ...(checkpoint !== "latest" && { checkpoint }),
    ...(overlays && { overlays }),
    ...(metric !== "dice" && { metric }),
  };
}

function parseSeeds(text: string): readonly number[] {
  return text.split(",").map((part) => {
    if (/^\s*\d+\s*$/.test(part)) return Number(part);
    throw new InvalidArgumentError("must be integers of at least 0 with commas between, such as 0,1,2");
  });
}

function parseMetric(text: string): string {
  const known = Object.keys(standardMetrics());
  if (known.includes(text)) return text;
  throw new InvalidArgumentError(`must be among ${known.join(", ")}${didYouMean(text, known)}`);
}
