import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CaseRef } from "../core/case.js";
import { errorMessage, isVoxError, requireOption, VoxError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import type { RunEvent } from "../core/run-events.js";
import type { PredictProgress } from "../inference/predict.js";
import { writeAtomically } from "../io/write-atomically.js";
import { dataFingerprint } from "../training/data-fingerprint.js";
import { defineConfig } from "../training/define-config.js";
import { inspectGraph } from "../training/inspect-graph.js";
import { requireSameRun } from "../training/load-checkpoint.js";
import { loadConfig } from "../training/load-config.js";
import { resolveRunFolder } from "../training/resolve-run-folder.js";
import { runName } from "../training/run-name.js";
import { sha256 } from "../training/save-bundle.js";
import type { TrainOverrides } from "../training/train.js";
import type { TrainingConfig } from "../training/training-config.js";
import { detailedTsv } from "./detailed-tsv.js";
import { type EvaluationRow, type EvaluationSummary, summarizeEvaluation } from "./evaluation-summary.js";
import { type FoldRecord, readFoldRecord } from "./fold-record.js";
import { writeCrossValidationReport } from "./report/write-cross-validation-report.js";
import { runFold } from "./run-fold.js";
import { type Fold, type KFoldOptions, kFold, percentageSplit, readSplits, type Splits, saveSplits } from "./splits.js";

export interface CrossValidateOptions extends Pick<KFoldOptions, "groupOf"> {
  /** A config file, or a configuration. Its `split` is not used, but for a share: that part of each fold's training cases then validates while it trains. */
  readonly config: TrainingConfig | string;
  /** How many folds; 5. Dealt by the seed. */
  readonly folds?: number;
  /** Divisions to use instead: a list, or the path of a `splits.json` (also nnU-Net's). No case may be held out twice. */
  readonly splits?: Splits | string;
  /** Only this fold, counted from 0, such as on another machine; the run of this name is joined, not begun anew. */
  readonly fold?: number;
  /** Continue the last run of this name: what is finished stays, what was interrupted goes on. */
  readonly resume?: boolean;
  /**
   * Which weights predict the held-out cases: those at the end of training (default), or those of the best epoch by `training.monitor`. The latter needs a
   * `split` with a share in the configuration, so that the epoch is never chosen on the cases that are reported.
   */
  readonly checkpoint?: "latest" | "best";
  /** Whether pictures of the held-out cases are drawn; on by default. */
  readonly overlays?: boolean;
  readonly overrides?: Omit<TrainOverrides, "split">;
  /** Whether a picture of a validation patch is drawn after each epoch, where cases validate; on by default. */
  readonly previews?: boolean;
  /** Aborting saves the fold that trains and ends with status `"stopped"`. */
  readonly signal?: AbortSignal;
  /** When a fold begins that is not finished yet. */
  readonly onFold?: (fold: { readonly fold: number; readonly folds: number; readonly folder: string; readonly division: Fold }) => void;
  readonly onEvent?: (event: RunEvent, fold: number) => void;
  readonly onPredict?: (progress: PredictProgress, fold: number) => void;
}

export interface CrossValidation {
  /** `"partial"`: what was asked for is done, but other folds are not finished yet, so there is no summary. */
  readonly status: "completed" | "partial" | "stopped";
  readonly folder: string;
  readonly splits: Splits;
  /** Finished folds. */
  readonly finished: readonly number[];
  /** Over the held-out cases of all folds, with status `"completed"`. */
  readonly summary: EvaluationSummary | undefined;
  readonly rows: readonly EvaluationRow[];
  /** Path of the HTML report. */
  readonly report: string | undefined;
  readonly seconds: number;
}

/**
 * k-fold cross-validation: each fold trains anew on its part, predicts its held-out cases and scores them; then all held-out cases are summed up together.
 *
 * Held-out cases take no part in training: not in the choice of an epoch, the learning rate or an early stop. Everything is in `runs/<name>`: `splits.json`,
 * `fold-<i>` (run folders with `predictions`, `evaluation`, `figures` and `overlays`), and at the end `evaluation` with `detailed.tsv`, `summary.json`,
 * box plots and `report.html`.
 *
 * @throws `ERR_OPTION`, `ERR_CONFIG` before data is read; `ERR_EMPTY` when there are too few cases with labels; `ERR_CHECKPOINT` when the run to continue was
 * begun with another configuration, data set or division; and what training, prediction and evaluation throw
 * @example
 * const { summary, report } = await crossValidate({ config: "kits19.config.ts", folds: 5, resume: true });
 */
export async function crossValidate(options: CrossValidateOptions): Promise<CrossValidation> {
  const began = performance.now();
  const { config: source, fold, resume = false, checkpoint = "latest", overlays = true, overrides = {}, groupOf, signal } = options;
  const path = typeof source === "string" ? source : undefined;
  const config = withFields(typeof source === "string" ? await loadConfig(source) : defineConfig(source), overrides);
  const { seed = 0, data, split, training } = config;
  const share = typeof split?.validation === "number" ? split.validation : undefined;
  requireOption(checkpoint === "latest" || checkpoint === "best", "crossValidate", "checkpoint", '"latest" or "best"', checkpoint);
  requireOption(
    checkpoint === "latest" || share !== undefined,
    "crossValidate",
    "checkpoint",
    '"latest" without a split such as { validation: 0.2 } in the configuration, because the best epoch must not be chosen on the cases that are reported',
    checkpoint,
  );
  requireOption(
    share !== undefined || !training.monitor?.startsWith("val_"),
    "crossValidate",
    "training.monitor",
    "a figure of the training cases without a split such as { validation: 0.2 } in the configuration",
    training.monitor,
  );

  const refs = labeled(await data.list());
  const ids = refs.map(({ id }) => id);
  const folder = resolveRunFolder(config.runs ?? "runs", config.name ?? runName(path), resume || fold !== undefined);
  const splits = await divided(options, folder, ids, seed);
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
  await noteIdentity(folder, await identityOf(config, seed, refs, splits, checkpoint, inner));
  await saveSplits(join(folder, "splits.json"), splits);

  const finishedFolds = async (): Promise<readonly FoldRecord[]> => {
    const records = await Promise.all(splits.map((_, index) => readFoldRecord(join(folder, `fold-${index}`))));
    return records.filter((record) => record?.evaluation != null) as FoldRecord[];
  };
  const done = new Set((await finishedFolds()).map((record) => record.fold));
  const wanted = fold === undefined ? splits.map((_, index) => index) : [fold];
  let isStopped = false;
  for (const index of wanted.filter((one) => !done.has(one))) {
    isStopped = signal?.aborted ?? false;
    if (isStopped) break;
    const division = { training: splits[index]!.training.filter((id) => !inner[index]!.includes(id)), validation: splits[index]!.validation };
    options.onFold?.({ fold: index, folds: splits.length, folder: join(folder, `fold-${index}`), division });
    const { onEvent, onPredict, previews = true } = options;
    const running = runFold({
      source,
      config,
      overrides,
      index,
      division,
      inner: inner[index]!,
      checkpoint,
      overlays,
      folder,
      previews,
      onEvent: onEvent && ((event) => onEvent(event, index)),
      onPredict: onPredict && ((progress) => onPredict(progress, index)),
      signal,
    });
    isStopped = (await orStopped(running, signal)) === undefined;
    if (isStopped) break;
  }

  const records = await finishedFolds();
  const rows = records.flatMap(({ evaluation }) => evaluation?.rows ?? []).sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const isWhole = records.length === splits.length;
  const result = { folder, splits, finished: records.map((record) => record.fold), rows };
  const seconds = (): number => (performance.now() - began) / 1000;
  if (!isWhole || isStopped)
    return { ...result, status: isStopped ? "stopped" : "partial", summary: undefined, report: undefined, seconds: seconds() };

  const summary = summarizeEvaluation(rows, {
    missing: records.flatMap(({ evaluation }) => evaluation?.missing ?? []).sort(),
    failed: records.flatMap(({ evaluation }) => evaluation?.failed ?? []),
  });
  const output = join(folder, "evaluation");
  await writeAtomically(join(output, "detailed.tsv"), [Buffer.from(detailedTsv(rows))]);
  await writeAtomically(join(output, "summary.json"), [Buffer.from(`${JSON.stringify(summary, undefined, 2)}\n`)]);
  const report = await writeCrossValidationReport({
    folder,
    classes: data.classes,
    splits,
    records,
    rows,
    summary,
    facts: { model: config.model.name, loss: config.loss.name, seed, checkpoint, "cases that validate while training": share ?? "none" },
  });
  return { ...result, status: "completed", summary, report, seconds: seconds() };
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

/** The divisions: those that are asked for, else those that the run began with, else dealt anew. */
async function divided({ folds, splits, groupOf }: CrossValidateOptions, folder: string, ids: readonly string[], seed: number): Promise<Splits> {
  const saved = join(folder, "splits.json");
  const deal = (count: number): Splits => kFold(ids, { folds: count, seed, ...(groupOf && { groupOf }) });
  let chosen: Splits;
  if (splits !== undefined) chosen = typeof splits === "string" ? await readSplits(splits) : splits;
  else if (existsSync(saved)) {
    chosen = await readSplits(saved);
    requireOption(folds === undefined || folds === chosen.length, "crossValidate", "folds", `${chosen.length}, as in ${saved}`, folds);
  } else chosen = deal(folds ?? 5);
  requireDivision(chosen, ids);
  return chosen;
}

/** @throws `ERR_DATA` */
function requireDivision(splits: Splits, ids: readonly string[]): void {
  const known = new Set(ids);
  const held = splits.flatMap(({ validation }) => validation);
  const wrong = (rule: string): VoxError => new VoxError(`the splits must ${rule}`, { code: "ERR_DATA", where: "crossValidate" });
  const strange = splits.flatMap(({ training, validation }) => [...training, ...validation]).find((id) => !known.has(id));
  if (strange !== undefined) throw wrong(`name cases of the data set that have a label, got ${strange}`);
  const twice = held.find((id, at) => held.indexOf(id) !== at);
  if (twice !== undefined) throw wrong(`hold out each case at most once, got ${twice} twice`);
  const empty = splits.findIndex(({ training, validation }) => training.length === 0 || validation.length === 0);
  if (empty >= 0) throw wrong(`have cases on both sides, got none on one side of fold ${empty}`);
  const both = splits.flatMap(({ training, validation }) => validation.filter((id) => training.includes(id)))[0];
  if (both !== undefined) throw wrong(`have each case of a fold on one side only, got ${both} on both`);
}

/** All that results depend on, so that folds of different experiments are never put together. */
async function identityOf(
  config: TrainingConfig,
  seed: number,
  refs: readonly CaseRef[],
  splits: Splits,
  checkpoint: string,
  inner: readonly (readonly string[])[],
): Promise<Record<string, Json>> {
  const { schedule, callbacks: _, checkpoint: __, ...training } = config.training;
  const { patch, preprocessing } = inspectGraph(config);
  const identity = {
    seed,
    folds: splits.length,
    classes: config.data.classes,
    channels: config.data.channels,
    model: { name: config.model.name, options: config.model.options },
    loss: { name: config.loss.name, options: config.loss.options ?? {} },
    training: { ...training, schedule: schedule ? { name: schedule.name, options: schedule.options } : null },
    dataSet: await dataFingerprint(refs),
    splits: sha256(JSON.stringify(splits)),
    validating: sha256(JSON.stringify(inner)),
    checkpoint,
    patch: patch ?? null,
    preprocessing: preprocessing.map(({ name, params }) => ({ name, params })),
  };
  // Through JSON, which leaves out what is undefined.
  return JSON.parse(JSON.stringify(identity)) as Record<string, Json>;
}

/** @throws `ERR_CHECKPOINT` when the folder was begun with another identity */
async function noteIdentity(folder: string, identity: Record<string, Json>): Promise<void> {
  const path = join(folder, "cross-validation.json");
  if (existsSync(path)) {
    let saved: Record<string, Json>;
    try {
      saved = JSON.parse(await readFile(path, "utf8")) as Record<string, Json>;
    } catch (error) {
      throw new VoxError(`the file must be readable JSON: ${errorMessage(error)}`, { code: "ERR_CHECKPOINT", where: path, cause: error });
    }
    requireSameRun(path, saved, identity);
    return;
  }
  if (existsSync(join(folder, "events.jsonl"))) {
    throw new VoxError("the folder must be new or hold a cross-validation, got a training; choose another name", {
      code: "ERR_CHECKPOINT",
      where: folder,
    });
  }
  await writeAtomically(path, [Buffer.from(`${JSON.stringify(identity, undefined, 2)}\n`)]);
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
