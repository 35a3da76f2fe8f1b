import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CaseRef, DataSet } from "../core/case.js";
import { isVoxError, requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { RunEvent } from "../core/run-events.js";
import type { Millimeters } from "../core/units.js";
import type { PredictProgress } from "../inference/predict.js";
import { writeAtomically } from "../io/write-atomically.js";
import { checkTraining } from "../training/check-training.js";
import { defineConfig } from "../training/config/define-config.js";
import { loadConfig } from "../training/config/load-config.js";
import type { TrainingConfig } from "../training/config/training-config.js";
import type { TrainOverrides } from "../training/config/with-overrides.js";
import { resolveRunFolder } from "../training/run/resolve-run-folder.js";
import { runName } from "../training/run/run-name.js";
import { writeConfusion } from "./confusion/write-confusion.js";
import { crossValidationIdentity, noteIdentity, readCrossValidation } from "./cross-validation-identity.js";
import { type DealSplitsOptions, dealSplits } from "./deal-splits.js";
import { detailedTsv } from "./detailed-tsv.js";
import type { EvaluationRow, EvaluationSummary } from "./evaluation-summary.js";
import { type FoldRecord, readFoldRecord } from "./fold-record.js";
import type { PostprocessingChoice } from "./postprocessing/choose-postprocessing.js";
import { forgetPostprocessing, recordPostprocessing } from "./postprocessing/record-postprocessing.js";
import { writeCrossValidationReport } from "./report/write-cross-validation-report.js";
import { type HeldOut, type OverlayStyle, runFold } from "./run-fold.js";
import { changedScoring, scoringSettings } from "./scoring-settings.js";
import { type Fold, percentageSplit, type Splits, saveSplits } from "./splits.js";
import { summarizeRepeats } from "./summarize-repeats.js";

export interface CrossValidateOptions extends DealSplitsOptions {
  /** A config file, or a configuration. Its `split` is not used, but for a share: that part of each fold's training cases then validates while it trains. */
  readonly config: TrainingConfig | string;
  /** Only this fold, counted from 0, such as on another machine; the run of this name is joined, not begun anew. */
  readonly fold?: number;
  /** Continue the last run of this name: what is finished stays, what was interrupted goes on. */
  readonly resume?: boolean;
  /**
   * Which weights predict the held-out cases: those at the end of training (default), or those of the best epoch by `training.monitor`. The latter needs a
   * `split` with a share in the configuration, so that the epoch is never chosen on the cases that are reported. This and the five options on scores,
   * postprocessing and pictures may change when a run is resumed: what they concern is done anew, without training; what is not given stays as it was.
   */
  readonly checkpoint?: "latest" | "best";
  /**
   * What held-out cases are to training: `"hidden"` (default); `"watched"`, their curves are drawn and nothing is decided by them; `"deciding"`, they validate
   * and so choose the best epoch, learning rate and early stop, as in MIScnn. Figures are then too good, and the report says so.
   */
  readonly heldOut?: HeldOut;
  /** Several labels taken together, by name: `{ "kidney+tumor": [1, 2] }`. They are scored beside the classes, and tried by `postprocessing: "auto"`. */
  readonly regions?: Readonly<Record<string, readonly number[]>>;
  /** Of the NSD; 1 mm. */
  readonly tolerance?: Millimeters;
  /**
   * `"auto"` chooses on the out-of-fold predictions, for all foreground classes together, for each region and for each class, whether small components are
   * removed, and writes what holds on cases that took no part in the choice into the bundles; else nothing.
   */
  readonly postprocessing?: "auto" | "none";
  /** How the pictures of the held-out cases look. */
  readonly overlayStyle?: OverlayStyle;
  /** Whether pictures of the held-out cases are drawn; on by default. */
  readonly overlays?: boolean;
  readonly overrides?: Omit<TrainOverrides, "split">;
  /** Whether a picture of a validation patch is drawn after each epoch, where cases validate; on by default. */
  readonly previews?: boolean;
  /** Aborting saves the fold that trains and ends with status `"stopped"`. */
  readonly signal?: AbortSignal;
  /** When a fold begins that is not finished yet. */
  readonly onFold?: (fold: { readonly fold: number; readonly folds: number; readonly folder: string; readonly division: Fold }) => void;
  /** When a finished fold is predicted, scored or drawn anew because these settings have changed; nothing is trained. */
  readonly onRescore?: (rescored: { readonly fold: number; readonly folder: string; readonly changed: readonly string[] }) => void;
  readonly onEvent?: (event: RunEvent, fold: number) => void;
  readonly onPredict?: (progress: PredictProgress, fold: number) => void;
}

const OPTIONS = Object.keys({
  folds: true,
  repeats: true,
  stratify: true,
  leaveOneOut: true,
  share: true,
  heldOutIds: true,
  splits: true,
  groupOf: true,
  config: true,
  fold: true,
  resume: true,
  checkpoint: true,
  heldOut: true,
  regions: true,
  tolerance: true,
  postprocessing: true,
  overlayStyle: true,
  overlays: true,
  overrides: true,
  previews: true,
  signal: true,
  onFold: true,
  onRescore: true,
  onEvent: true,
  onPredict: true,
} satisfies Record<keyof CrossValidateOptions, true>);

export interface CrossValidation {
  /** `"partial"`: what was asked for is done, but other folds are not finished yet, so there is no summary. */
  readonly status: "completed" | "partial" | "stopped";
  readonly folder: string;
  readonly splits: Splits;
  /** Finished folds. */
  readonly finished: readonly number[];
  /** Folds that were finished before and were predicted, scored or drawn anew, because such settings have changed. */
  readonly rescored: readonly number[];
  /** Over the held-out cases of all folds, with status `"completed"`. */
  readonly summary: EvaluationSummary | undefined;
  readonly rows: readonly EvaluationRow[];
  /** With `postprocessing: "auto"`. */
  readonly postprocessing: PostprocessingChoice | undefined;
  /** Path of the HTML report. */
  readonly report: string | undefined;
  readonly seconds: number;
}

/**
 * k-fold cross-validation: each fold trains anew on its part, predicts its held-out cases and scores them; then all held-out cases are summed up together.
 *
 * Held-out cases take no part in training: not in the choice of an epoch, the learning rate or an early stop. Everything is in `runs/<name>`, by default the
 * configuration's name and `-crossval`: `splits.json`, `fold-<i>` (run folders with `predictions`, `evaluation`, `figures` and `overlays`), and at the end `evaluation` with `detailed.tsv`, `summary.json`,
 * box plots and `report.html`.
 *
 * @throws `ERR_OPTION`, `ERR_CONFIG` before data is read; `ERR_EMPTY` when there are too few cases with labels; `ERR_CHECKPOINT` when the run to
 * continue was
 * begun with another configuration, data set or division; and what training, prediction and evaluation throw
 * @example
 * const { summary, report } = await crossValidate({ config: "kits19.config.ts", folds: 5, resume: true });
 */
export async function crossValidate(options: CrossValidateOptions): Promise<CrossValidation> {
  const began = performance.now();
  requireKnownOptions("crossValidate", options, OPTIONS);
  const { config: source, fold, resume = false, heldOut = "hidden", overrides = {}, groupOf, signal } = options;
  const path = typeof source === "string" ? source : undefined;
  const config = withFields(typeof source === "string" ? await loadConfig(source) : defineConfig(source), overrides);
  const { seed = 0, data, split, training } = config;
  const share = typeof split?.validation === "number" ? split.validation : undefined;
  // A training of the same configuration has its name already.
  const name = overrides.name ?? `${config.name ?? runName(path)}-crossval`;
  const folder = resolveRunFolder(config.runs ?? "runs", name, resume || fold !== undefined, "cross-validation");
  const scoring = scoringSettings(options, (await readCrossValidation(folder))?.scoring, data.classes);
  const { checkpoint, regions, postprocessing } = scoring;
  requireOption(["hidden", "watched", "deciding"].includes(heldOut), "crossValidate", "heldOut", '"hidden", "watched" or "deciding"', heldOut);
  requireOption(
    heldOut === "hidden" || share === undefined,
    "crossValidate",
    "heldOut",
    '"hidden" with a split such as { validation: 0.2 } in the configuration, whose cases validate',
    heldOut,
  );
  requireOption(
    checkpoint === "latest" || share !== undefined || heldOut === "deciding",
    "crossValidate",
    "checkpoint",
    '"latest" without a split such as { validation: 0.2 } in the configuration, because the best epoch must not be chosen on the cases that are reported',
    checkpoint,
  );
  requireOption(
    share !== undefined || heldOut === "deciding" || !training.monitor?.startsWith("val_"),
    "crossValidate",
    "training.monitor",
    "a figure of the training cases without a split such as { validation: 0.2 } in the configuration",
    training.monitor,
  );

  const refs = labeled(await data.list());
  const splits = await divided(options, folder, data, refs, seed);
  requireOption(
    fold === undefined || (Number.isInteger(fold) && fold >= 0 && fold < splits.length),
    "crossValidate",
    "fold",
    `0..${splits.length - 1}`,
    fold,
  );
  // What the seed draws for one fold must not depend on which others run here.
  const inner = splits.map((division, index) =>
    share === undefined ? [] : percentageSplit(division.training, { share, seed: seed + index, ...(groupOf && { groupOf }) })[0]!.validation,
  );
  // Nothing is written for a configuration that no fold could be trained by.
  if (!existsSync(folder)) await checkTraining(config, { isValidated: share !== undefined || heldOut !== "hidden" });
  await noteIdentity(folder, await crossValidationIdentity({ config, seed, refs, splits, heldOut, inner }), scoring);
  await saveSplits(join(folder, "splits.json"), splits);

  const finishedFolds = async (): Promise<readonly FoldRecord[]> => {
    const records = await Promise.all(splits.map((_, index) => readFoldRecord(join(folder, `fold-${index}`))));
    return records.filter((record) => record?.evaluation && changedScoring(record.evaluation, scoring).length === 0) as FoldRecord[];
  };
  const done = new Set((await finishedFolds()).map((record) => record.fold));
  const wanted = fold === undefined ? splits.map((_, index) => index) : [fold];
  const rescored: number[] = [];
  let isStopped = false;
  for (const index of wanted.filter((one) => !done.has(one))) {
    isStopped = signal?.aborted ?? false;
    if (isStopped) break;
    const division = { training: splits[index]!.training.filter((id) => !inner[index]!.includes(id)), validation: splits[index]!.validation };
    const own = join(folder, `fold-${index}`);
    const isFinished = (await readFoldRecord(own))?.evaluation != null;
    if (!isFinished) options.onFold?.({ fold: index, folds: splits.length, folder: own, division });
    const { onEvent, onPredict, previews = true } = options;
    const running = runFold({
      source,
      config,
      overrides,
      index,
      division,
      inner: inner[index]!,
      heldOut,
      scoring,
      folder,
      previews,
      onRescore: (changed) => options.onRescore?.({ fold: index, folder: own, changed }),
      onEvent: onEvent && ((event) => onEvent(event, index)),
      onPredict: onPredict && ((progress) => onPredict(progress, index)),
      signal,
    });
    isStopped = (await orStopped(running, signal)) === undefined;
    if (isStopped) break;
    if (isFinished) rescored.push(index);
  }

  const records = await finishedFolds();
  const rows = records.flatMap(({ evaluation, fold: own }) => (evaluation?.rows ?? []).map((row) => ({ ...row, fold: own }))).sort(byId);
  const isWhole = records.length === splits.length;
  const result = { folder, splits, finished: records.map((record) => record.fold), rescored, rows };
  const seconds = (): number => (performance.now() - began) / 1000;
  if (!isWhole || isStopped) {
    const status = isStopped ? "stopped" : "partial";
    return { ...result, status, summary: undefined, postprocessing: undefined, report: undefined, seconds: seconds() };
  }

  const missing = [...new Set(records.flatMap(({ evaluation }) => evaluation?.missing ?? []))].sort();
  const failed = records.flatMap(({ evaluation }) => evaluation?.failed ?? []);
  // A record of an earlier version has no tables; a sum over a part of the cases would look like one over all.
  const isCounted = records.every(({ evaluation }) => evaluation?.confusions);
  const confusions = isCounted ? records.flatMap(({ evaluation, fold: own }) => evaluation!.confusions!.map((one) => ({ ...one, fold: own }))) : [];
  const summary = summarizeRepeats(rows, splits, { missing, failed, regions: Object.keys(regions), classes: data.classes, confusions });
  const output = join(folder, "evaluation");
  if (confusions.length > 0) await writeConfusion({ output, classes: data.classes, cases: [...confusions].sort(byId) });
  await writeAtomically(join(output, "detailed.tsv"), [Buffer.from(detailedTsv(rows))]);
  await writeAtomically(join(output, "summary.json"), [Buffer.from(`${JSON.stringify(summary, undefined, 2)}\n`)]);
  if (postprocessing === "none") await forgetPostprocessing(folder, splits);
  const leftOut = [...missing, ...failed.map(({ id }) => id)];
  const choosing =
    postprocessing === "auto"
      ? recordPostprocessing({ folder, data, splits, checkpoint, regions: Object.values(regions), groupOf, leftOut, signal })
      : undefined;
  const choice = choosing && (await orStopped(choosing, signal));
  if (choosing && !choice)
    return { ...result, status: "stopped", summary: undefined, postprocessing: undefined, report: undefined, seconds: seconds() };
  const report = await writeCrossValidationReport({
    folder,
    classes: data.classes,
    regions: Object.keys(regions),
    splits,
    records,
    rows,
    summary,
    postprocessing: choice,
    heldOut,
    facts: { model: config.model.name, loss: config.loss.name, seed, checkpoint, "cases that validate while training": validating(share, heldOut) },
  });
  return { ...result, status: "completed", summary, postprocessing: choice, report, seconds: seconds() };
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function validating(share: number | undefined, heldOut: HeldOut): string {
  if (share !== undefined) return `${Number((100 * share).toPrecision(3))} % of each fold's training cases`;
  return { hidden: "none", watched: "those held out, only watched", deciding: "those held out, and they decide" }[heldOut];
}

function withFields(config: TrainingConfig, { epochs, ...fields }: Omit<TrainOverrides, "split">): TrainingConfig {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return defineConfig({ ...config, ...given, ...(epochs !== undefined && { training: { ...config.training, epochs } }) });
}

function labeled(refs: readonly CaseRef[]): readonly CaseRef[] {
  const usable = refs.filter(({ label }) => label !== undefined);
  if (usable.length >= 2) return usable;
  throw new VoxError(`there must be at least two cases with label files to validate on, got ${usable.length} of ${refs.length} cases`, {
    code: "ERR_EMPTY",
    where: "crossValidate",
  });
}

/** The divisions: those that the run began with, where none are given; else dealt anew. */
async function divided(options: CrossValidateOptions, folder: string, data: DataSet, refs: readonly CaseRef[], seed: number): Promise<Splits> {
  const saved = join(folder, "splits.json");
  const { folds, repeats = 1, splits } = options;
  if (splits !== undefined || !existsSync(saved)) return dealSplits(options, { data, refs, seed });
  const chosen = await dealSplits({ splits: saved }, { data, refs, seed });
  requireOption(folds === undefined || folds * repeats === chosen.length, "crossValidate", "folds", `${chosen.length}, as in ${saved}`, folds);
  return chosen;
}

/** Undefined where prediction or evaluation ended because of the signal. */
async function orStopped<T>(running: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  try {
    return await running;
  } catch (error) {
    if (signal?.aborted && isVoxError(error) && error.code === "ERR_STOPPED") return undefined;
    throw error;
  }
}
