import { Command, InvalidArgumentError, Option } from "commander";
import type { Json } from "../../core/json.js";
import { crossValidate, evaluationTable, type HeldOut, type PostprocessingChoice } from "../../evaluation/index.js";
import type { PostprocessingStep } from "../../inference/index.js";
import { loadConfig } from "../../training/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatDuration } from "../format-duration.js";
import { hasOverlayStyle, type OverlayOptions, overlayOptions, overlayStyle } from "../overlay-options.js";
import { parseLength } from "../parse-length.js";
import { parseNames } from "../parse-names.js";
import { parseNaturalNumber } from "../parse-natural-number.js";
import { parsePositiveInteger } from "../parse-positive-integer.js";
import { parseShare } from "../parse-share.js";
import { progressLine } from "../progress-line.js";
import { regionOption, regionsOf } from "../region-option.js";
import { resumeCommand } from "../resume-command.js";
import { serveRuns } from "../serve-runs.js";
import { stopSignal } from "../stop-signal.js";
import { type TrainingOptions, trainingOptions, trainOverrides } from "../training-options.js";
import { trainingReport } from "../training-report.js";

interface CrossvalCommandOptions extends CommonOptions, TrainingOptions, OverlayOptions {
  readonly folds?: number;
  readonly repeats?: number;
  readonly stratify?: "presence" | "volume";
  readonly groupBy?: RegExp;
  readonly leaveOneOut?: boolean;
  readonly share?: number;
  readonly holdOut?: readonly string[];
  readonly splits?: string;
  readonly fold?: number;
  readonly heldOut: HeldOut;
  readonly region?: readonly string[];
  readonly tolerance?: number;
  readonly postprocessing?: "auto" | "none";
  readonly resume?: boolean;
  readonly checkpoint?: "latest" | "best";
  readonly overlays?: boolean;
}

/** `voxstream crossval <config> --folds k`: trains each fold, predicts and scores its held-out cases, sums up, reports. */
export function crossvalCommand(): Command {
  const command = new Command("crossval")
    .argument("<config>", "config file (.mjs, .js or .ts) that exports defineConfig({ … })")
    .option("--folds <k>", "number of folds; 5, or as many as --splits has", parsePositiveInteger)
    .option("--repeats <n>", "deal all cases anew n times: repeated cross-validation", parsePositiveInteger)
    .addOption(
      new Option(
        "--stratify <by>",
        "every fold gets its share: of the classes that cases have, or of small and large foregrounds (reads the labels)",
      ).choices(["presence", "volume"]),
    )
    .option(
      "--group-by <pattern>",
      'cases stay together whose ids match the regular expression alike, in its first group: "^(patient\\d+)"',
      parsePattern,
    )
    .option("--leave-one-out", "as many folds as there are cases (groups)")
    .option("--share <part>", "one fold: hold out this share of the cases, such as 0.2", parseShare)
    .option("--hold-out <ids>", "one fold: hold out these cases, separated by commas", parseNames)
    .option("--splits <file>", "a splits.json to use (also nnU-Net's), instead of dealing the cases by the seed")
    .option("--fold <i>", "only this fold, counted from 0, such as on another machine", parseNaturalNumber)
    .option(
      "--resume",
      "continue the last cross-validation of this name: finished folds stay, an interrupted one goes on; other --region, --tolerance, --checkpoint, --postprocessing or pictures are made up for without training",
    )
    .addOption(
      new Option("--checkpoint <which>", "which weights predict: latest, unless told; best needs split: { validation: share } in the config").choices(
        ["latest", "best"],
      ),
    )
    .addOption(
      new Option(
        "--held-out <role>",
        "what held-out cases are to training: not there; watched, for their curves; or deciding on epoch and learning rate, which makes figures too good",
      )
        .choices(["hidden", "watched", "deciding"])
        .default("hidden"),
    )
    .addOption(
      new Option(
        "--postprocessing <which>",
        "auto: choose on the held-out cases, for all classes together and for each, whether small components are removed; predict then does what holds on cases that took no part in the choice",
      ).choices(["auto", "none"]),
    )
    .addOption(regionOption())
    .option("--tolerance <mm>", "of the NSD; 1 mm", parseLength)
    .option("--overlays", "pictures of the predictions, also of a run that was made without; on unless told")
    .option("--no-overlays", "without pictures of the predictions")
    .action((config: string, options: CrossvalCommandOptions) => runCrossval(config, options));
  for (const option of [...overlayOptions(), ...trainingOptions()]) command.addOption(option);
  return command;
}

async function runCrossval(config: string, options: CrossvalCommandOptions): Promise<void> {
  const output = commandOutput(options);
  const overrides = trainOverrides(options);
  const { runs = "runs", data } = { ...(await loadConfig(config)), ...overrides };
  const regions = options.region && regionsOf(options.region, data.classes, "crossval");
  const dashboard = await serveRuns(options.dashboard, runs, output, { set: data });
  const { signal, forget } = stopSignal("crossval");
  const line = progressLine();
  let report = trainingReport(line);
  try {
    const result = await crossValidate({
      config,
      ...(options.folds !== undefined && { folds: options.folds }),
      ...(options.repeats !== undefined && { repeats: options.repeats }),
      ...(options.stratify !== undefined && { stratify: options.stratify }),
      ...(options.groupBy !== undefined && { groupOf: groupedBy(options.groupBy) }),
      ...(options.leaveOneOut && { leaveOneOut: true }),
      ...(options.share !== undefined && { share: options.share }),
      ...(options.holdOut !== undefined && { heldOutIds: options.holdOut }),
      ...(options.splits !== undefined && { splits: options.splits }),
      ...(options.fold !== undefined && { fold: options.fold }),
      resume: options.resume ?? false,
      heldOut: options.heldOut,
      ...(options.checkpoint !== undefined && { checkpoint: options.checkpoint }),
      ...(regions && { regions }),
      ...(options.tolerance !== undefined && { tolerance: options.tolerance }),
      ...(options.postprocessing !== undefined && { postprocessing: options.postprocessing }),
      ...(hasOverlayStyle(options) && { overlayStyle: overlayStyle(options) }),
      ...(options.overlays !== undefined && { overlays: options.overlays }),
      overrides,
      signal,
      onFold: ({ fold, folds, division }) => {
        report = trainingReport(line);
        line.end(`fold ${fold} (0..${folds - 1}): ${division.training.length} cases train, ${division.validation.length} are held out`);
      },
      onRescore: ({ fold, changed }) => line.end(rescoring(fold, changed)),
      onEvent: (event) => report.onEvent(event),
      onPredict: ({ id, state, done, total, windows, seconds = 0, message }) => {
        if (state === "predicting") line.update(`${id} (${done + 1}/${total})${windows ? `: patch ${windows.done}/${windows.total}` : ""}`);
        if (state === "written") line.end(`${id} predicted in ${seconds.toFixed(1)} s`);
        if (state === "failed") line.end(`${id} failed: ${message}`);
      },
    });
    line.end();
    const { status, folder, splits, finished, rescored, summary, postprocessing, report: page, seconds } = result;
    const json = { status, folder, folds: splits.length, finished: [...finished], rescored: [...rescored], seconds, report: page ?? null };
    if (summary) {
      // Plain data, as it stands in summary.json.
      const plain = JSON.parse(JSON.stringify(summary)) as Json;
      output.result(
        { ...json, summary: plain, postprocessing: (postprocessing ? JSON.parse(JSON.stringify(postprocessing)) : null) as Json },
        [
          evaluationTable(summary),
          "",
          ...choices(postprocessing),
          `${splits.length} folds, done in ${formatDuration(seconds)}`,
          `report: ${page}`,
          `run:    ${folder}`,
        ].join("\n"),
      );
      return;
    }
    const left = splits.map((_, index) => index).filter((index) => !finished.includes(index));
    output.result(
      json,
      `${status === "stopped" ? "stopped" : "done as asked"}: folds ${left.join(", ")} of ${splits.length} are not finished; continue with: ${resumeCommand("crossval", [config], { ...overrides, ...dividing(options) })}\nrun: ${folder}`,
    );
  } finally {
    forget();
    await dashboard?.close();
  }
}

/** What else a run is known by: its divisions are in its folder, and so is how it is scored. */
function dividing({ groupBy, heldOut }: CrossvalCommandOptions): object {
  return { ...(groupBy && { groupBy: groupBy.source }), ...(heldOut !== "hidden" && { heldOut }) };
}

function rescoring(fold: number, changed: readonly string[]): string {
  const done = changed.includes("checkpoint") ? "predicted and scored" : changed.some((name) => name !== "overlays") ? "scored" : "drawn";
  const names = changed.map((name) => (name === "regions" ? "region" : name)).map((name) => `--${name}`);
  return `fold ${fold} is trained; it is ${done} anew because of ${names.join(", ")}`;
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new InvalidArgumentError(`must be a regular expression: ${(error as Error).message}`);
  }
}

/** The first group of the match, else all of it; a case that does not match is a group of its own. */
function groupedBy(pattern: RegExp): (id: string) => string {
  return (id) => {
    const match = pattern.exec(id);
    return match?.[1] ?? match?.[0] ?? id;
  };
}

function choices(choice: PostprocessingChoice | undefined): string[] {
  if (!choice) return [];
  const shown = (dice: number): string => dice.toFixed(3);
  const what = (step: PostprocessingStep): string =>
    step.operation === "keepLargest" ? `keep the ${step.count} largest` : `remove components below ${step.size} ${step.unit}`;
  const checked = choice.parts === 0 ? "nothing can check it with a single case" : "each fold's chosen on the others";
  const not = (refused: PostprocessingStep, dice: number, held: number | null): string =>
    `none: ${what(refused)} was best on all cases, but does not hold (${checked}${held === null ? "" : `: ${shown(dice)} becomes ${shown(held)}`})`;
  const ofRegions = choice.regions.map(({ region, step, refused, dice, chosenDice, heldOutDice }) => {
    const own = `postprocessing of ${region} together:`;
    if (refused) return `${own} ${not(refused, dice, heldOutDice)}`;
    if (!step) return `${own} none, nothing gains 0.001 without a loss`;
    return `${own} ${what(step)}; mean Dice of its classes ${shown(dice)} becomes ${shown(chosenDice)}, ${shown(heldOutDice ?? Number.NaN)} with ${checked}`;
  });
  const ofClasses = choice.classes.map(({ class: name, step, refused, dice, chosenDice, heldOutDice, refusedDice }) => {
    const own = step ? what(step) : refused ? not(refused, dice, refusedDice) : "none of its own, nothing gains 0.001";
    if (choice.steps.length === 0 || heldOutDice === null) return `postprocessing of ${name}: ${own}`;
    return `postprocessing of ${name}: ${own}; Dice ${shown(dice)} becomes ${shown(chosenDice)} with all steps, ${shown(heldOutDice)} with ${checked}`;
  });
  const lines = [...ofRegions, ...ofClasses];
  return [...lines, ...(choice.steps.length > 0 ? ["predict applies it: it stands in the bundle of every fold"] : []), ""];
}
