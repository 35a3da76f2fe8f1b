import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DataSet } from "../../core/case.js";
import { requireOption, VoxError } from "../../core/errors.js";
import { makeFolder } from "../../core/make-folder.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { RunEvent } from "../../core/run-events.js";
import type { PredictProgress } from "../../inference/predict.js";
import type { ComparisonConfig } from "../../training/config/define-comparison.js";
import type { TrainOverrides } from "../../training/config/with-overrides.js";
import { resolveRunFolder } from "../../training/run/resolve-run-folder.js";
import { type CrossValidation, crossValidate } from "../cross-validate.js";
import type { EvaluationRow } from "../evaluation-summary.js";
import { readFoldRecord } from "../fold-record.js";
import { kFold, percentageSplit, readSplits, type Splits, saveSplits } from "../splits.js";
import { type ComparisonPlan, type ComparisonVariant, comparisonPlan } from "./comparison-variants.js";
import { type ComparisonSummary, summarizeComparison, type VariantRows } from "./summarize-comparison.js";
import { measuredCost, staticCost } from "./variant-cost.js";
import { writeComparisonReport } from "./write-comparison-report.js";

export interface CompareOptions {
  /** A comparison, the path of a file that exports one, or paths of config files, each a variant under its name. */
  readonly comparison: ComparisonConfig | string | readonly string[];
  /** How many folds; by default what the comparison says, else 5. */
  readonly folds?: number;
  /** Instead of folds: hold out this share of the cases once. */
  readonly holdOut?: number;
  /** Divisions to use instead: a list, or the path of a `splits.json`. */
  readonly splits?: Splits | string;
  /** By default what the comparison says, else the seed of the first variant. */
  readonly seeds?: readonly number[];
  /** Name of the variant that the others are compared with; by default what the comparison says, else the first. */
  readonly baseline?: string;
  /** Run these variants only, such as on another machine; the run of this name is joined, not begun anew. */
  readonly only?: readonly string[];
  /** Continue the last run of this name: what is finished stays; variants that are new are trained on the same division. */
  readonly resume?: boolean;
  /** Which weights predict the held-out cases, as for `crossValidate`. */
  readonly checkpoint?: "latest" | "best";
  /** Whether pictures of the held-out cases are drawn; off by default. */
  readonly overlays?: boolean;
  readonly overrides?: Omit<TrainOverrides, "split" | "seed">;
  /** Aborting saves the fold that trains and ends with status `"stopped"`. */
  readonly signal?: AbortSignal;
  /** When the folder is known and nothing has begun: the folder of the runs, which a dashboard may watch, and their cases. */
  readonly onBegin?: (begun: { readonly runs: string; readonly data: DataSet }) => void | Promise<void>;
  /** When a variant begins with a fold that is not finished yet. */
  readonly onTurn?: (turn: ComparisonTurn) => void;
  readonly onEvent?: (event: RunEvent) => void;
  readonly onPredict?: (progress: PredictProgress) => void;
}

/** One fold of one variant with one seed. */
export interface ComparisonTurn {
  readonly variant: string;
  readonly seed: number;
  readonly fold: number;
  /** Turns that are over, and all of them. */
  readonly done: number;
  readonly total: number;
}

export interface Comparison {
  /** `"partial"`: what was asked for is done, but other variants are not finished yet, so there is no summary. */
  readonly status: "completed" | "partial" | "stopped";
  readonly folder: string;
  readonly splits: Splits;
  /** Over all variants, with status `"completed"`. */
  readonly summary: ComparisonSummary | undefined;
  /** Path of the HTML report. */
  readonly report: string | undefined;
  readonly seconds: number;
}

/**
 * Compares networks, losses or any other variants of a configuration: each is trained on the same divisions with the same seeds, predicts the same held-out
 * cases, and is scored alike; then one table with intervals, paired differences to the baseline and costs.
 *
 * Every variant goes through a fold before the next fold begins, so that times are taken under like conditions. Everything is in `runs/<name>`: `splits.json`,
 * `variants/<variant>-seed-<s>` (cross-validations), and `comparison` with `comparison.tsv`, `cases.tsv`, `summary.json`, figures, `comparison.md` and
 * `report.html`.
 *
 * @throws `ERR_OPTION`, `ERR_CONFIG` before data is read; and what cross-validation throws
 * @example
 * const { summary, report } = await compare({ comparison: "networks.config.mjs", folds: 3, resume: true });
 */
export async function compare(options: CompareOptions): Promise<Comparison> {
  requireKnownOptions("compare", options, [
    "comparison",
    "folds",
    "holdOut",
    "splits",
    "seeds",
    "baseline",
    "only",
    "resume",
    "checkpoint",
    "overlays",
    "overrides",
    "signal",
    "onBegin",
    "onTurn",
    "onEvent",
    "onPredict",
  ]);
  const began = performance.now();
  const { only, resume = false, checkpoint = "latest", overlays = false, overrides = {}, signal } = options;
  const plan = await comparisonPlan(options.comparison);
  const variants = plan.variants.map((variant) => ({ ...variant, isWanted: only?.includes(variant.name) ?? true }));
  const names = variants.map(({ name }) => name);
  const baseline = options.baseline ?? plan.baseline ?? names[0]!;
  const seeds = options.seeds ?? plan.seeds ?? [variants[0]!.config.seed ?? 0];
  requireOption(names.includes(baseline), "compare", "baseline", `one of the variants ${names.join(", ")}`, baseline);
  requireOption(only === undefined || only.every((name) => names.includes(name)), "compare", "only", `variants among ${names.join(", ")}`, only);
  requireOption(seeds.length > 0 && seeds.every(Number.isInteger), "compare", "seeds", "one integer or more", seeds);
  requireOption(new Set(seeds).size === seeds.length, "compare", "seeds", "different from each other", seeds);

  const { name = plan.name, runs = variants[0]!.config.runs ?? "runs", ...rest } = overrides;
  const folder = resolveRunFolder(runs, name, resume || only !== undefined, "comparison");
  const foldersOf = (variant: string, seed: number): string => join(folder, "variants", nameOf(variant, seed));
  const splits = await divided(options, plan, folder, seeds[0]!);
  await saveSplits(join(folder, "splits.json"), splits);
  makeFolder(join(folder, "variants"));
  await options.onBegin?.({ runs: join(folder, "variants"), data: variants[0]!.config.data });

  const turns = splits.flatMap((_, fold) => seeds.flatMap((seed) => variants.map((variant) => ({ variant, seed, fold }))));
  const run = (variant: ComparisonVariant, seed: number, fold?: number): Promise<CrossValidation> =>
    crossValidate({
      config: variant.source,
      splits,
      ...(fold !== undefined && { fold }),
      resume: true,
      checkpoint,
      overlays,
      overrides: { ...rest, runs: join(folder, "variants"), name: nameOf(variant.name, seed), seed },
      ...(signal && { signal }),
      ...(options.onEvent && { onEvent: options.onEvent }),
      ...(options.onPredict && { onPredict: options.onPredict }),
    });
  let isStopped = false;
  let done = 0;
  for (const { variant, seed, fold } of turns) {
    const isFinished = (await readFoldRecord(join(foldersOf(variant.name, seed), `fold-${fold}`)))?.evaluation != null;
    if (!isFinished && variant.isWanted) {
      isStopped = signal?.aborted ?? false;
      if (isStopped) break;
      options.onTurn?.({ variant: variant.name, seed, fold, done, total: turns.length });
      isStopped = (await run(variant, seed, fold)).status === "stopped";
      if (isStopped) break;
    }
    done++;
  }

  const seconds = (): number => (performance.now() - began) / 1000;
  const foldsOf = (variant: string): readonly string[] =>
    seeds.flatMap((seed) => splits.map((_, fold) => join(foldersOf(variant, seed), `fold-${fold}`)));
  const records = await Promise.all(names.map((variant) => Promise.all(foldsOf(variant).map((path) => readFoldRecord(path)))));
  const isWhole = records.flat().every((record) => record?.evaluation);
  if (!isWhole || isStopped)
    return { status: isStopped ? "stopped" : "partial", folder, splits, summary: undefined, report: undefined, seconds: seconds() };

  const scored: VariantRows[] = [];
  for (const [at, variant] of variants.entries()) {
    const rows: (readonly EvaluationRow[])[] = [];
    // Sums up the folds of each seed; nothing is left to train.
    for (const seed of seeds) rows.push((await run(variant, seed)).rows);
    const known = await staticCost(variant.config, join(folder, "comparison", "costs", `${variant.name}.json`));
    const trainSeconds = records[at]!.reduce((sum, record) => sum + (record?.training.seconds ?? 0), 0);
    scored.push({ name: variant.name, seeds: rows, cost: await measuredCost(foldsOf(variant.name), trainSeconds, known) });
  }
  const summary = summarizeComparison(scored, { baseline, seeds });
  const held = splits.reduce((sum, { validation }) => sum + validation.length, 0);
  const report = await writeComparisonReport({
    output: join(folder, "comparison"),
    summary,
    variants: scored,
    facts: {
      division: splits.length === 1 ? `${splits[0]!.training.length} cases train, ${held} are held out` : `${splits.length} folds, ${held} cases`,
      seeds: seeds.join(", "),
      baseline,
      weights: checkpoint,
    },
  });
  return { status: "completed", folder, splits, summary, report, seconds: seconds() };
}

function nameOf(variant: string, seed: number): string {
  return `${variant}-seed-${seed}`;
}

/** The division that is asked for, else that which the run began with, else one dealt by the first seed. */
async function divided(options: CompareOptions, plan: ComparisonPlan, folder: string, seed: number): Promise<Splits> {
  const { splits } = options;
  const saved = join(folder, "splits.json");
  const wanted = options.folds !== undefined ? { folds: options.folds } : options.holdOut !== undefined ? { holdOut: options.holdOut } : {};
  requireOption(options.folds === undefined || options.holdOut === undefined, "compare", "holdOut", "absent with folds", options.holdOut);
  if (splits !== undefined) return typeof splits === "string" ? readSplits(splits) : splits;
  if (existsSync(saved)) return readSplits(saved);
  const { folds, holdOut } = Object.keys(wanted).length > 0 ? { folds: undefined, holdOut: undefined, ...wanted } : plan;
  const refs = await plan.variants[0]!.config.data.list();
  const ids = refs.filter(({ label }) => label !== undefined).map(({ id }) => id);
  if (ids.length < 2) {
    throw new VoxError(`there must be at least two cases with label files to compare on, got ${ids.length} of ${refs.length} cases`, {
      code: "ERR_EMPTY",
      where: "compare",
    });
  }
  return holdOut !== undefined ? percentageSplit(ids, { share: holdOut, seed }) : kFold(ids, { folds: folds ?? 5, seed });
}
