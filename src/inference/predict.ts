import { existsSync, realpathSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { parseBytes } from "../core/bytes.js";
import type { CaseRef, DataSet } from "../core/case.js";
import { isVoxError, requireOption, VoxError } from "../core/errors.js";
import type { SourceAxis, SourceGrid } from "../core/geometry.js";
import type { Json } from "../core/json.js";
import type { PlaneName } from "../core/plane-name.js";
import { requireCaseIds } from "../core/require-case-ids.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { RunContext } from "../core/run-context.js";
import type { Sample } from "../core/sample.js";
import type { Triple } from "../core/shape.js";
import { SlabPool } from "../core/slab-pool.js";
import { currentEngine, type EngineOptions, startEngine } from "../engine/index.js";
import type { ReadingOptions } from "../io/case-reading.js";
import { plainFolder } from "../io/plain-folder.js";
import { writeVolume } from "../io/write-volume.js";
import { bringSteps } from "../operators/bring-steps.js";
import { withSample } from "../operators/chain-run.js";
import { isSampleFault } from "../streams/is-sample-fault.js";
import { type LoadedBundle, loadBundle } from "../training/bundle/load-bundle.js";
import { createTaskPool } from "../workers/create-task-pool.js";
import { readBundlePostprocessing } from "./bundle-postprocessing.js";
import { ensemblePredictor } from "./ensemble-predictor.js";
import { postprocessLabels, requireSteps } from "./postprocess-labels.js";
import type { PostprocessingStep } from "./postprocessing-step.js";
import { type PredictionFormat, predictionEnding } from "./prediction-ending.js";
import { notePredictionSettings } from "./prediction-settings.js";
import type { PredictorOptions } from "./predictor.js";
import { preprocessedCases } from "./preprocessed-cases.js";
import { resolveBundles } from "./resolve-bundles.js";
import { undoRenaming } from "./undo-renaming.js";

export interface PredictOptions extends Pick<PredictorOptions, "patch" | "overlap" | "weighting" | "batchSize" | "flips" | "rotations"> {
  /**
   * Folder of a model bundle, or one that is loaded; of several all predict together. The folder of a cross-validation stands for the bundles of its folds.
   */
  readonly bundle: string | LoadedBundle | readonly (string | LoadedBundle)[];
  /** How several networks are brought together: by the mean of their probabilities (default), or by one vote each. */
  readonly ensemble?: "mean" | "vote";
  /** Slices that 2D networks see; axial ones by default. Of several planes all are predicted, and brought together as networks are. */
  readonly planes?: readonly PlaneName[];
  /**
   * What is removed from the label maps: what was chosen on validation and stands in the bundle (`"auto"`, the default), nothing, or these steps in this order.
   */
  readonly postprocessing?: "auto" | "none" | readonly PostprocessingStep[];
  /** What executes the model; by default the engine that runs already, else the best one here. */
  readonly engine?: EngineOptions["engine"];
  /** Threads of the engine; by default all cores. */
  readonly threads?: number;
  /** A folder of images or of KiTS cases, one file, or a data set. */
  readonly inputs: string | DataSet;
  /** How the files of inputs that are given as a path are to be understood: color pictures as gray, the size of pixels. */
  readonly reading?: Omit<ReadingOptions, "labels">;
  /** Folder for `<id>.nii.gz`, or `<id>.png` where an image is one picture. */
  readonly output: string;
  /** What label maps are written as: `"auto"` (default), or one format for all. PNG holds planar label maps only. */
  readonly format?: PredictionFormat;
  /** Only these cases. */
  readonly ids?: readonly string[];
  /** Predict again what is there. */
  readonly overwrite?: boolean;
  /** Also write `probabilities/<id>.nii.gz`, float32, one channel per class. */
  readonly probabilities?: boolean;
  /** What a case that cannot be read or predicted does: end everything, or be left out and reported. */
  readonly onError?: "fail" | "skip";
  /** Budget for the voxels of cases that wait. */
  readonly memory?: string | number;
  /** Threads that load the next case while this one is predicted; 0 loads on this thread. */
  readonly workers?: number;
  readonly onProgress?: (progress: PredictProgress) => void;
  readonly signal?: AbortSignal;
}

export interface PredictProgress {
  readonly id: string;
  readonly state: "predicting" | "written" | "present" | "failed";
  /** Cases that are over, whatever became of them. */
  readonly done: number;
  readonly total: number;
  /** Windows of this case, while it is predicted. */
  readonly windows?: { readonly done: number; readonly total: number };
  /** Estimated from the windows so far; absent before the first. */
  readonly remainingSeconds?: number;
  readonly path?: string;
  /** What a finished case took, loading not counted where it overlapped. */
  readonly seconds?: number;
  readonly message?: string;
}

const OPTIONS = Object.keys({
  bundle: true,
  ensemble: true,
  planes: true,
  postprocessing: true,
  engine: true,
  threads: true,
  inputs: true,
  reading: true,
  format: true,
  output: true,
  ids: true,
  overwrite: true,
  probabilities: true,
  onError: true,
  memory: true,
  workers: true,
  onProgress: true,
  signal: true,
  patch: true,
  overlap: true,
  weighting: true,
  batchSize: true,
  flips: true,
  rotations: true,
} satisfies Record<keyof PredictOptions, true>);

export interface PredictResult {
  readonly written: readonly string[];
  /** Ids that were there already. */
  readonly present: readonly string[];
  readonly failed: readonly { readonly id: string; readonly message: string }[];
  /** What was done to the label maps. */
  readonly postprocessing: readonly PostprocessingStep[];
}

/**
 * Predicts all cases of a folder with a bundle and writes each onto exactly the grid of its image file, as `<output>/<id>.nii.gz`, or as
 * `<output>/<id>.png` where the image is one picture: gray, with the classes as values.
 *
 * Files appear whole or not at all, and what is there already is left out, so a prediction that was interrupted goes on where it stopped.
 *
 * @label the smallest unsigned integer type that holds the classes, 3D
 * @throws `ERR_BUNDLE`, `ERR_MODEL`, `ERR_OPTION`; with `onError: "fail"` what the first bad case throws; `ERR_EMPTY` when there are no cases; `ERR_STOPPED`
 * @example
 * await predict({ bundle: "runs/kits/checkpoints/best", inputs: "incoming", output: "predictions", onProgress: ({ id, remainingSeconds }) => console.error(id, remainingSeconds) });
 */
export async function predict(options: PredictOptions): Promise<PredictResult> {
  requireKnownOptions("predict", options, OPTIONS);
  const { bundle, output, format = "auto", onError = "fail", memory = "4GB", workers = 1 } = options;
  requireOption(["auto", "nii.gz", "png"].includes(format), "predict", "format", '"auto", "nii.gz" or "png"', format);
  requireOption(onError === "fail" || onError === "skip", "predict", "onError", '"fail" or "skip"', onError);
  requireOption(typeof output === "string" && output !== "", "predict", "output", "a path", output);
  requireOption(Number.isInteger(workers) && workers >= 0 && workers <= availableParallelism() * 4, "predict", "workers", "an integer >= 0", workers);
  const budget = parseBytes(memory, "predict", "memory");

  if (options.engine !== undefined || !currentEngine()) {
    await startEngine({
      ...(options.engine !== undefined && { engine: options.engine }),
      ...(options.threads !== undefined && { threads: options.threads }),
    });
  }
  const sources = await Promise.all([bundle].flat().map(async (one) => (typeof one === "string" ? resolveBundles(one) : [one])));
  const loaded: LoadedBundle[] = [];
  for (const one of sources.flat()) {
    const found = typeof one === "string" ? await loadBundle(one) : one;
    await bringSteps(found.description.preprocessing, typeof one === "string" ? one : "predict");
    loaded.push(found);
  }
  try {
    return await predictWith(loaded, sources.flat(), options, budget);
  } finally {
    for (const [at, one] of sources.flat().entries()) if (typeof one === "string") loaded[at]!.model.dispose();
  }
}

async function predictWith(
  bundles: readonly LoadedBundle[],
  sources: readonly (string | LoadedBundle)[],
  options: PredictOptions,
  budget: number,
): Promise<PredictResult> {
  const { inputs, output, ids, overwrite = false, probabilities = false, onError = "fail", workers = 1, onProgress, signal } = options;
  const { patch, overlap, weighting = "constant", batchSize, flips = [], rotations, ensemble = "mean", planes = ["axial"] } = options;
  const ensembled = ensemblePredictor({
    bundles,
    mode: ensemble,
    planes,
    weighting,
    flips,
    keepProbabilities: probabilities,
    ...(rotations !== undefined && { rotations }),
    ...(patch && { patch }),
    ...(overlap && { overlap }),
    ...(batchSize !== undefined && { batchSize }),
  });
  const { classes, channels } = bundles[0]!.description;
  const steps = await postprocessingOf(options.postprocessing ?? "auto", sources);
  requireSteps(steps, classes);
  const data = typeof inputs === "string" ? plainFolder({ root: inputs, channels, ...options.reading }) : inputs;
  const refs = await chosen(data, ids);
  requireOtherFolder(refs, output);
  await notePredictionSettings(
    output,
    {
      format: "voxstream-prediction",
      weights: bundles.map(({ description }) => description.weights.sha256),
      classes,
      patch: patch ?? bundles.map(({ description }) => description.patch),
      overlap: overlap ?? null,
      weighting,
      flips,
      // Folders of versions without rotations go on.
      ...(rotations !== undefined && { rotations }),
      ensemble: bundles.length > 1 || planes.length > 1 ? ensemble : null,
      planes,
      postprocessing: JSON.parse(JSON.stringify(steps)) as Json,
    },
    { refs, overwrite },
  );

  const endings = new Map<string, string>();
  for (const ref of refs) endings.set(ref.id, await predictionEnding(ref, data, options.format ?? "auto"));
  const pathOf = (id: string): string => join(output, `${id}${endings.get(id)}`);
  const scoresOf = (id: string): string => join(output, "probabilities", `${id}.nii.gz`);
  const isThere = ({ id }: CaseRef): boolean => !overwrite && existsSync(pathOf(id)) && (!probabilities || existsSync(scoresOf(id)));
  const present = refs.filter(isThere).map(({ id }) => id);
  const left = refs.filter((ref) => !isThere(ref));
  const written: string[] = [];
  const failed: { id: string; message: string }[] = [];
  const over = (): number => present.length + written.length + failed.length;
  const report = (progress: Omit<PredictProgress, "done" | "total">): void => onProgress?.({ ...progress, done: over(), total: refs.length });
  const fail = (id: string, error: Error): void => {
    failed.push({ id, message: error.message });
    report({ id, state: "failed", message: error.message });
  };
  for (const id of present) report({ id, state: "present", path: pathOf(id) });
  if (left.length === 0) return { written, present, failed, postprocessing: steps };

  await removeLeftovers(output, left);
  const tasks = createTaskPool({ threads: workers });
  const kinds = ensembled.preprocessings.length;
  const contextOf = (): RunContext => ({ seed: 0, mode: "prediction", pool: new SlabPool({ budget: budget / kinds }), tasks, onError });
  const began = performance.now();
  /** Seconds left, by the share of cases and windows that is behind. */
  const remaining = (share: number): number | undefined => {
    const finished = written.length + failed.length + share;
    return finished > 0 ? ((performance.now() - began) / 1000 / finished) * (left.length - finished) : undefined;
  };
  try {
    for await (const samples of preprocessedCases({
      data,
      refs: left,
      preprocessings: ensembled.preprocessings,
      contextOf,
      onSkip: fail,
      signal,
    })) {
      const sample = samples[0]!;
      const { id } = sample;
      const start = performance.now();
      const onPatch = (done: number, total: number): void =>
        report({ id, state: "predicting", windows: { done, total }, ...known(remaining(done / total)) });
      try {
        const { labels, shape, probabilities: scores } = await ensembled.predict(samples, { onPatch, ...(signal && { signal }) });
        const grid = sourceOf(sample);
        if (steps.length > 0) postprocessLabels(labels, { shape, spacing: loadedSpacing(sample), classes, steps });
        if (scores) await writeVolume(scoresOf(id), scores, [...shape, classes.length], grid, { kind: "float" });
        await writeVolume(pathOf(id), undoRenaming(labels, sample.history), [...shape, 1], grid, { kind: "label" });
      } catch (error) {
        // A full disk ends everything: the next case would not fit either.
        const named = withSample(error, id);
        if (onError === "fail" || !isSampleFault(error) || (isVoxError(error) && error.code === "ERR_WRITE")) throw named;
        fail(id, named as Error);
        continue;
      }
      written.push(id);
      report({ id, state: "written", path: pathOf(id), seconds: (performance.now() - start) / 1000, ...known(remaining(0)) });
    }
  } finally {
    await tasks.destroy();
  }
  return { written, present, failed, postprocessing: steps };
}

function known(remainingSeconds: number | undefined): { readonly remainingSeconds?: number } {
  return remainingSeconds === undefined ? {} : { remainingSeconds };
}

/** Label maps among the images would be taken for images the next time. */
function requireOtherFolder(refs: readonly CaseRef[], output: string): void {
  if (!existsSync(output)) return;
  const place = realpathSync(output);
  const image = refs.flatMap(({ images }) => images).find((path) => existsSync(path) && dirname(realpathSync(path)) === place);
  if (image === undefined) return;
  throw new VoxError(`output must be another folder than that of the images, got ${output}, where ${image} lies`, {
    code: "ERR_OPTION",
    where: "predict",
  });
}

async function chosen(data: DataSet, ids: readonly string[] | undefined): Promise<readonly CaseRef[]> {
  const all = await data.list();
  requireCaseIds(all, "predict");
  if (all.length === 0) throw new VoxError("there must be at least one case to predict, got none", { code: "ERR_EMPTY", where: "predict" });
  if (!ids) return all;
  const missing = ids.find((id) => !all.some((ref) => ref.id === id));
  if (missing !== undefined) throw new VoxError(`ids must be cases of the input, got ${missing}`, { code: "ERR_DATA", where: "predict" });
  return all.filter(({ id }) => ids.includes(id));
}

/** Older than any write takes. */
const LEFTOVER_MS = 10 * 60_000;

/** Removes temporary files of a run that was killed while it wrote one of these cases; those of another run that is writing now are younger. */
async function removeLeftovers(output: string, left: readonly CaseRef[]): Promise<void> {
  for (const folder of [output, join(output, "probabilities")]) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((one) =>
      left.some(({ id }) => (one.startsWith(`.${id}.nii.gz.`) || one.startsWith(`.${id}.png.`)) && one.endsWith(".tmp")),
    )) {
      // Another run may give it its name at this moment.
      const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
      if (Date.now() - mtimeMs > LEFTOVER_MS) await rm(join(folder, name), { force: true });
    }
  }
}

/** @throws `ERR_OPTION` when bundles that predict together were made for different postprocessing */
async function postprocessingOf(
  wanted: "auto" | "none" | readonly PostprocessingStep[],
  sources: readonly (string | LoadedBundle)[],
): Promise<readonly PostprocessingStep[]> {
  if (wanted === "none") return [];
  if (wanted !== "auto") {
    requireOption(Array.isArray(wanted), "predict", "postprocessing", '"auto", "none" or a list of steps', wanted);
    return wanted;
  }
  const found = await Promise.all(sources.map(async (one) => (typeof one === "string" ? ((await readBundlePostprocessing(one))?.steps ?? []) : [])));
  const isOne = found.every((steps) => JSON.stringify(steps) === JSON.stringify(found[0]));
  requireOption(isOne, "predict", "postprocessing", '"none" or given in steps, because the bundles name different ones', "auto");
  return found[0]!;
}

/** mm, of the grid that was loaded. */
function loadedSpacing({ history, image }: Sample): Triple {
  return (history.find(({ before }) => before !== undefined)?.before ?? image).geometry.spacing;
}

/** The grid to write on: the file's, or the arrays' own where a reader of the user's delivered them. */
function sourceOf(sample: Sample): SourceGrid {
  if (sample.source) return sample.source;
  const first = sample.history.find(({ before }) => before !== undefined)?.before ?? sample.image;
  const [depth, height, width] = first.shape;
  const along = (axis: 0 | 1 | 2): SourceAxis => ({ axis, flipped: false });
  return {
    format: "arrays",
    path: sample.id,
    shape: [width, height, depth],
    dimensions: depth === 1 ? 2 : 3,
    affine: first.geometry.affine,
    axes: [along(0), along(1), along(2)],
    orientation: "RAS",
    header: null,
  };
}
