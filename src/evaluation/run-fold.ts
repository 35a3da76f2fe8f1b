import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Json } from "../core/json.js";
import type { RunEvent } from "../core/run-events.js";
import { type EngineName, startEngine } from "../engine/index.js";
import { type PredictProgress, predict } from "../inference/predict.js";
import { isVolumeName, volumeFileNamed } from "../io/layouts/volume-files.js";
import { loadBundle, readBundleFile } from "../training/bundle/load-bundle.js";
import type { TrainingConfig } from "../training/config/training-config.js";
import type { TrainOverrides } from "../training/config/with-overrides.js";
import { appendRunEvent } from "../training/run/append-run-event.js";
import { train } from "../training/train.js";
import { evaluate } from "./evaluate.js";
import { historyFigures } from "./figures/history-figures.js";
import { previewRenderer } from "./figures/preview-renderer.js";
import { type FoldRecord, readFoldRecord, writeFoldRecord } from "./fold-record.js";
import { changedScoring, foldScoring, type ScoringSettings } from "./scoring-settings.js";
import type { Fold } from "./splits.js";
import { type WriteOverlaysOptions, writeOverlays } from "./write-overlays.js";

/** What held-out cases are to training: not there, watched, or what decides. */
export type HeldOut = "hidden" | "watched" | "deciding";

/** How pictures of predictions look. */
export type OverlayStyle = Pick<WriteOverlaysOptions, "window" | "alpha" | "outline" | "plane" | "panelSize" | "errors" | "colors">;

export interface RunFoldOptions {
  /** What is trained: a config file, so that its graph gets a thread, or the configuration. */
  readonly source: TrainingConfig | string;
  /** The same, loaded and with the overrides in it. */
  readonly config: TrainingConfig;
  readonly overrides: TrainOverrides;
  readonly index: number;
  /** `training` without `inner`; `validation` is what is held out. */
  readonly division: Fold;
  /** Cases of the training part that validate while it trains. */
  readonly inner: readonly string[];
  readonly heldOut: HeldOut;
  readonly scoring: ScoringSettings;
  /** Folder of the cross-validation. */
  readonly folder: string;
  readonly previews: boolean;
  readonly onEvent: ((event: RunEvent) => void) | undefined;
  /** When nothing is trained and what is there is scored anew, with what was made otherwise. */
  readonly onRescore: ((changed: readonly string[]) => void) | undefined;
  readonly onPredict: ((progress: PredictProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Trains a fold, predicts its held-out cases and scores them, each part only where it is not done yet or was done by other settings; undefined when the signal
 * came while it trained.
 *
 * @throws what `train`, `predict`, `evaluate` and `writeOverlays` throw; `ERR_STOPPED` when the signal came after training
 */
export async function runFold(options: RunFoldOptions): Promise<FoldRecord | undefined> {
  const { index, folder, config, scoring, division, signal } = options;
  const own = join(folder, `fold-${index}`);
  const before = await readFoldRecord(own);
  const trained = before ?? (await trainFold(options, own));
  if (!trained) return undefined;
  const { evaluation } = trained;
  const changed = evaluation ? changedScoring(evaluation, scoring) : [];
  if (evaluation && changed.length === 0) return trained;
  if (evaluation) {
    options.onRescore?.(changed);
    // What is half made anew is no longer as the record says: should this be the end, all of it is looked at again, whatever is wanted then.
    await writeFoldRecord(own, { ...trained, evaluation: { ...evaluation, scoring: undefined } });
  }

  const { data } = config;
  const { classes } = data;
  const ids = division.validation;
  const predictions = join(own, "predictions");
  const overlays = join(own, "overlays");
  const isPredicted = evaluation && !changed.includes("checkpoint") && ids.every((id) => volumeFileNamed(predictions, id) !== undefined);
  if (!isPredicted) {
    if (await removeOthers(join(own, "checkpoints", scoring.checkpoint), predictions)) await rm(overlays, { recursive: true, force: true });
    await predictFold(options, own, predictions);
  }
  const scored =
    evaluation && isPredicted && !changed.some((name) => name === "regions" || name === "tolerance")
      ? evaluation
      : await scoreFold(options, own, predictions);
  if (scoring.overlays && (!evaluation || !isPredicted || changed.includes("overlays"))) {
    const { rows } = scored;
    await writeOverlays({
      ...scoring.overlays,
      images: data,
      labels: data,
      predictions,
      classes,
      ids,
      rows,
      output: overlays,
      ...(signal && { signal }),
    });
  }
  const record: FoldRecord = { ...trained, evaluation: { ...scored, scoring: foldScoring(scoring) } };
  await writeFoldRecord(own, record);
  return record;
}

/** Removes predictions of other weights; whether there were any. */
async function removeOthers(bundle: string, predictions: string): Promise<boolean> {
  const before = await readFile(join(predictions, "prediction.json"), "utf8").catch(() => undefined);
  if (before === undefined) return false;
  const { weights } = JSON.parse(before) as { readonly weights: readonly string[] };
  if (weights[0] === (await readBundleFile(bundle)).weights.sha256) return false;
  // Its record stays until all are gone: whatever happens in between, none is taken for the new weights'.
  for (const name of await readdir(predictions)) if (isVolumeName(name)) await rm(join(predictions, name));
  return true;
}

async function scoreFold(
  { config, division, scoring, signal }: RunFoldOptions,
  own: string,
  predictions: string,
): Promise<NonNullable<FoldRecord["evaluation"]>> {
  const { rows, confusions, summary } = await evaluate({
    predictions,
    labels: config.data,
    classes: config.data.classes,
    ids: division.validation,
    regions: scoring.regions,
    tolerance: scoring.tolerance,
    output: join(own, "evaluation"),
    onError: config.onError ?? "fail",
    ...(signal && { signal }),
  });
  // Plain data, as it stands in summary.json.
  appendRunEvent(own, { type: "evaluation", path: "evaluation/summary.json", summary: JSON.parse(JSON.stringify(summary)) as Json });
  const { missing, failed } = summary;
  return { rows, confusions, missing, failed };
}

async function trainFold(options: RunFoldOptions, own: string): Promise<FoldRecord | undefined> {
  const { source, config, overrides, index, division, inner, heldOut, folder, previews, onEvent, signal } = options;
  const validation = heldOut === "hidden" ? inner : division.validation;
  // What is only watched must not be what is looked at by default.
  const monitor = heldOut === "watched" ? (config.training.monitor ?? "loss") : undefined;
  const result = await train(source, {
    // Continues an interrupted one; a fold that was never begun has nothing to resume.
    resume: existsSync(own),
    overrides: { ...overrides, runs: folder, name: `fold-${index}`, split: { training: division.training, validation }, ...(monitor && { monitor }) },
    // One for each fold: it remembers what it has drawn, and takes the oldest away.
    ...(previews && { preview: previewRenderer() }),
    ...(onEvent && { onEvent }),
    ...(signal && { signal }),
  });
  if (result.status === "stopped") return undefined;
  const history = join(own, "history.tsv");
  if (existsSync(history)) await historyFigures({ history, output: join(own, "figures") });
  const { epochs, steps, loss = null, bestEpoch = null, seconds, reason = null } = result;
  const record: FoldRecord = {
    format: "voxstream-fold",
    fold: index,
    training: { epochs, steps, loss, bestEpoch, seconds, reason },
    evaluation: null,
  };
  await writeFoldRecord(own, record);
  return record;
}

async function predictFold({ config, division, scoring, onPredict, signal }: RunFoldOptions, own: string, predictions: string): Promise<void> {
  const { data, seed = 0, engine, threads, memory, workers, onError } = config;
  await startEngine({
    seed,
    // The engine checks the name.
    ...(engine !== undefined && { engine: engine as EngineName | "auto" }),
    ...(threads !== undefined && { threads }),
  });
  const bundle = await loadBundle(join(own, "checkpoints", scoring.checkpoint));
  try {
    await predict({
      bundle,
      inputs: data,
      ids: division.validation,
      output: predictions,
      // What the fold's cases help to choose must not change what is chosen from.
      postprocessing: "none",
      onError: onError ?? "fail",
      ...(memory !== undefined && { memory }),
      ...(workers !== undefined && { workers }),
      ...(signal && { signal }),
      onProgress: (progress) => {
        const { id, state, path = "", seconds = 0 } = progress;
        if (state === "written") appendRunEvent(own, { type: "prediction", id, path, seconds });
        onPredict?.(progress);
      },
    });
  } finally {
    bundle.model.dispose();
  }
}
