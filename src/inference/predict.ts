import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Observable } from "rxjs";
import { parseBytes } from "../core/bytes.js";
import type { CaseRef, DataSet } from "../core/case.js";
import { isVoxError, requireOption, VoxError } from "../core/errors.js";
import type { SourceAxis, SourceGrid } from "../core/geometry.js";
import type { RunContext } from "../core/run-context.js";
import type { Sample } from "../core/sample.js";
import { SlabPool } from "../core/slab-pool.js";
import { currentEngine, type EngineOptions, startEngine } from "../engine/index.js";
import { plainFolder } from "../io/plain-folder.js";
import { writeVolume } from "../io/write-volume.js";
import { withSample } from "../operators/chain-run.js";
import { cases } from "../operators/load/cases.js";
import { type LoadOptions, load } from "../operators/load/load.js";
import { transform } from "../operators/transform.js";
import { isSampleFault } from "../streams/is-sample-fault.js";
import { iterate } from "../streams/iterate.js";
import { prefetch } from "../streams/prefetch.js";
import type { BundleFile, PreprocessingStep } from "../training/bundle.js";
import { type LoadedBundle, loadBundle } from "../training/load-bundle.js";
import { createTaskPool } from "../workers/create-task-pool.js";
import { notePredictionSettings } from "./prediction-settings.js";
import { type PredictorOptions, predictor } from "./predictor.js";

export interface PredictOptions extends Pick<PredictorOptions, "patch" | "overlap" | "weighting" | "batchSize" | "flips"> {
  /** Folder of a model bundle, or one that is loaded. */
  readonly bundle: string | LoadedBundle;
  /** What executes the model; by default the engine that runs already, else the best one here. */
  readonly engine?: EngineOptions["engine"];
  /** Threads of the engine; by default all cores. */
  readonly threads?: number;
  /** A folder of images or of KiTS cases, one file, or a data set. */
  readonly inputs: string | DataSet;
  /** Folder for `<id>.nii.gz`. */
  readonly output: string;
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

export interface PredictResult {
  readonly written: readonly string[];
  /** Ids that were there already. */
  readonly present: readonly string[];
  readonly failed: readonly { readonly id: string; readonly message: string }[];
}

/**
 * Predicts all cases of a folder with a bundle and writes each onto exactly the grid of its image file, as `<output>/<id>.nii.gz`.
 *
 * Files appear whole or not at all, and what is there already is left out, so a prediction that was interrupted goes on where it stopped.
 *
 * @label the smallest unsigned integer type that holds the classes, 3D
 * @throws `ERR_BUNDLE`, `ERR_MODEL`, `ERR_OPTION`; with `onError: "fail"` what the first bad case throws; `ERR_EMPTY` when there are no cases; `ERR_STOPPED`
 * @example
 * await predict({ bundle: "runs/kits/checkpoints/best", inputs: "incoming", output: "predictions", onProgress: ({ id, remainingSeconds }) => console.error(id, remainingSeconds) });
 */
export async function predict(options: PredictOptions): Promise<PredictResult> {
  const {
    bundle,
    inputs,
    output,
    ids,
    overwrite = false,
    probabilities = false,
    onError = "fail",
    memory = "4GB",
    workers = 1,
    onProgress,
    signal,
  } = options;
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
  const { model, description } = typeof bundle === "string" ? await loadBundle(bundle) : bundle;
  const data = typeof inputs === "string" ? plainFolder({ root: inputs, channels: description.channels }) : inputs;
  const refs = await chosen(data, ids);
  const { patch = description.patch, overlap, weighting = "constant", batchSize, flips = [] } = options;
  const predictCase = predictor({
    model,
    patch,
    weighting,
    flips,
    keepProbabilities: probabilities,
    ...(overlap && { overlap }),
    ...(batchSize !== undefined && { batchSize }),
  });
  await notePredictionSettings(
    output,
    {
      format: "voxstream-prediction",
      weights: description.weights.sha256,
      classes: description.classes,
      patch,
      overlap: overlap ?? null,
      weighting,
      flips,
    },
    overwrite,
  );

  const pathOf = (id: string): string => join(output, `${id}.nii.gz`);
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
  if (left.length === 0) return { written, present, failed };

  const tasks = createTaskPool({ threads: workers });
  const context: RunContext = { seed: 0, mode: "prediction", pool: new SlabPool({ budget }), tasks, onError };
  const began = performance.now();
  /** Seconds left, by the share of cases and windows that is behind. */
  const remaining = (share: number): number | undefined => {
    const finished = written.length + failed.length + share;
    return finished > 0 ? ((performance.now() - began) / 1000 / finished) * (left.length - finished) : undefined;
  };
  try {
    const flow = preprocessed(data, left, description);
    const onSkip = ({ id, error, message }: { readonly id: string; readonly error?: unknown; readonly message: string }): void =>
      fail(id, error instanceof Error ? error : new Error(message));
    for await (const sample of iterate(flow, { name: "predict", context, onSkip, ...(signal && { signal }) })) {
      const { id } = sample;
      const start = performance.now();
      const onPatch = (done: number, total: number): void =>
        report({ id, state: "predicting", windows: { done, total }, ...known(remaining(done / total)) });
      try {
        const { labels, shape, probabilities: scores } = await predictCase(sample, { onPatch, ...(signal && { signal }) });
        const grid = sourceOf(sample);
        if (scores) await writeVolume(scoresOf(id), scores, [...shape, description.classes.length], grid, { kind: "float" });
        await writeVolume(pathOf(id), labels, [...shape, 1], grid, { kind: "label" });
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
  return { written, present, failed };
}

function known(remainingSeconds: number | undefined): { readonly remainingSeconds?: number } {
  return remainingSeconds === undefined ? {} : { remainingSeconds };
}

/** Loads and preprocesses case after case, one ahead of the one that is predicted. */
function preprocessed(data: DataSet, refs: readonly CaseRef[], { preprocessing }: BundleFile): Observable<Sample> {
  const loading = preprocessing.find(({ name }) => name === "load")?.params as LoadOptions | undefined;
  const steps = preprocessing.filter(({ name }) => name !== "load");
  let flow = cases(data, { refs, order: "sorted" }).pipe(load({ nonFinite: loading?.nonFinite ?? "fail" }));
  for (const step of steps) flow = flow.pipe(operatorOf(step));
  return flow.pipe(prefetch({ capacity: 1 }));
}

function operatorOf({ name, params }: PreprocessingStep): ReturnType<typeof transform> {
  try {
    return transform({ name, params });
  } catch (error) {
    throw new VoxError(`the bundle's preprocessing must consist of known steps, got ${name}`, { code: "ERR_BUNDLE", where: "predict", cause: error });
  }
}

async function chosen(data: DataSet, ids: readonly string[] | undefined): Promise<readonly CaseRef[]> {
  const all = await data.list();
  if (all.length === 0) throw new VoxError("there must be at least one case to predict, got none", { code: "ERR_EMPTY", where: "predict" });
  if (!ids) return all;
  const missing = ids.find((id) => !all.some((ref) => ref.id === id));
  if (missing !== undefined) throw new VoxError(`ids must be cases of the input, got ${missing}`, { code: "ERR_DATA", where: "predict" });
  return all.filter(({ id }) => ids.includes(id));
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
