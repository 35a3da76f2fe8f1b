import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DataSet } from "../core/case.js";
import { errorMessage, requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Millimeters } from "../core/units.js";
import type { ReadingOptions } from "../io/case-reading.js";
import { volumeFiles, volumeStem } from "../io/layouts/volume-files.js";
import { writeAtomically } from "../io/write-atomically.js";
import { LabelMapComparison, type Metric } from "../metrics/index.js";
import type { CaseConfusion } from "./confusion/case-confusion.js";
import { writeConfusion } from "./confusion/write-confusion.js";
import { detailedTsv } from "./detailed-tsv.js";
import { evaluateComparison } from "./evaluate-comparison.js";
import { type EvaluationRow, type EvaluationSummary, summarizeEvaluation } from "./evaluation-summary.js";
import { labelFiles } from "./label-files.js";
import { labelReadings } from "./label-readings.js";
import { readLabelPair } from "./read-label-pair.js";
import { requireRegions } from "./require-regions.js";
import { standardMetrics } from "./standard-metrics.js";

export interface EvaluateOptions {
  /** Folder of `<id>.nii.gz` or `<id>.png`, as `predict` writes them, or of any other format that is read. */
  readonly predictions: string;
  /** Where the references are: a folder of `<id>.nii.gz` or another format, a folder of KiTS cases, or a data set. */
  readonly labels: string | DataSet;
  /** What stored values and pixels of the references mean, as for `imageCases`: `{ labels: { 255: 1 } }`; by default as the data set says. */
  readonly reading?: Pick<ReadingOptions, "labels" | "spacing">;
  /** Class names; index = label. By default those of the data set. */
  readonly classes?: readonly string[];
  /** Gets `detailed.tsv`, `summary.json`, `confusion.json` and `confusion.png`; nothing is written where absent. */
  readonly output?: string;
  /** Cases that must be there; by default those that have a prediction. */
  readonly ids?: readonly string[];
  readonly regions?: Readonly<Record<string, readonly number[]>>;
  /** Instead of the standard ones. */
  readonly metrics?: Readonly<Record<string, Metric>>;
  /** Of the standard NSD. */
  readonly tolerance?: Millimeters;
  /** What a pair that cannot be read or compared does. */
  readonly onError?: "fail" | "skip";
  readonly onProgress?: (progress: { readonly id: string; readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal;
}

const OPTIONS = Object.keys({
  predictions: true,
  labels: true,
  reading: true,
  classes: true,
  output: true,
  ids: true,
  regions: true,
  metrics: true,
  tolerance: true,
  onError: true,
  onProgress: true,
  signal: true,
} satisfies Record<keyof EvaluateOptions, true>);

export interface Evaluation {
  readonly rows: readonly EvaluationRow[];
  /** Voxels by true and predicted class, of each case. */
  readonly confusions: readonly CaseConfusion[];
  readonly summary: EvaluationSummary;
  /** Paths of the written files. */
  readonly files: readonly string[];
}

/**
 * Compares the predictions of a folder with their references, per case and class, and sums up.
 *
 * A case with a label and no prediction is listed as missing, with or without `ids`; it never counts as 0 or as 1.
 *
 * @throws `ERR_GEOMETRY` when a pair does not lie on one grid; `ERR_LABEL` for labels outside the classes, or a prediction without a reference;
 * `ERR_EMPTY`
 * when there is nothing to compare; `ERR_READ`, `ERR_WRITE`, `ERR_OPTION`
 * @example
 * const { summary } = await evaluate({ predictions: "predictions", labels: "data/kits19", classes: ["background", "kidney", "tumor"], output: "evaluation" });
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  requireKnownOptions("evaluate", options, OPTIONS);
  const { predictions, labels, output, ids, regions = {}, tolerance = 1, onError = "fail", onProgress, signal } = options;
  const classes = options.classes ?? (typeof labels === "string" ? [] : labels.classes);
  requireOption(classes.length >= 2, "evaluate", "classes", "at least two class names, the background first", classes);
  requireOption(onError === "fail" || onError === "skip", "evaluate", "onError", '"fail" or "skip"', onError);
  requireRegions("evaluate", regions, classes);
  const metrics = options.metrics ?? standardMetrics({ tolerance });
  if (!existsSync(predictions) || !statSync(predictions).isDirectory()) {
    throw new VoxError("the folder of predictions must exist", { code: "ERR_READ", where: predictions });
  }
  const predicted = new Map(volumeFiles(predictions).map((name) => [volumeStem(name), join(predictions, name)]));
  const references = await labelFiles(labels, classes);
  const readingOf = await labelReadings(labels, options.reading, classes);
  const wanted = [...(ids ?? predicted.keys())].sort();
  const missing = [...(ids ?? references.keys())].filter((id) => !predicted.has(id)).sort();

  const rows: EvaluationRow[] = [];
  const confusions: CaseConfusion[] = [];
  const failed: { id: string; message: string }[] = [];
  let done = 0;
  const compared = wanted.filter((id) => predicted.has(id));
  if (compared.length === 0) {
    throw new VoxError(
      `there must be predictions <id>.nii.gz or <id>.png for the cases to compare, got none${wanted.length > 0 ? ` of ${wanted.join(", ")}` : ""}`,
      {
        code: "ERR_EMPTY",
        where: predictions,
      },
    );
  }
  for (const id of compared) {
    if (signal?.aborted) throw new VoxError("the evaluation was stopped", { code: "ERR_STOPPED", where: "evaluate", cause: signal.reason });
    try {
      const prediction = predicted.get(id)!;
      const reference = references.get(id);
      if (reference === undefined)
        throw new VoxError("a prediction must have a label file to compare with, got none", { code: "ERR_LABEL", where: prediction, sampleId: id });
      const comparison = new LabelMapComparison(await readLabelPair({ id, prediction, reference, classes, reading: readingOf(id) }));
      const own = evaluateComparison(comparison, { id, classes, regions, metrics });
      confusions.push({ id, confusion: comparison.confusion(classes.length) });
      rows.push(...own);
    } catch (error) {
      if (onError === "fail") throw error;
      failed.push({ id, message: errorMessage(error) });
    }
    onProgress?.({ id, done: ++done, total: compared.length });
  }
  const summary = summarizeEvaluation(rows, { missing, failed, regions: Object.keys(regions), classes, confusions });
  if (output === undefined) return { rows, confusions, summary, files: [] };
  const files = [join(output, "detailed.tsv"), join(output, "summary.json")];
  await writeAtomically(files[0]!, [Buffer.from(detailedTsv(rows))]);
  await writeAtomically(files[1]!, [Buffer.from(`${JSON.stringify(summary, undefined, 2)}\n`)]);
  if (confusions.length > 0) files.push(...(await writeConfusion({ output, classes, cases: confusions })));
  return { rows, confusions, summary, files };
}
