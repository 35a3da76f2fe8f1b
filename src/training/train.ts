import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import type * as tfl from "@tensorflow/tfjs-layers";
import { parseBytes } from "../core/bytes.js";
import { errorMessage, VoxError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { RunEvent } from "../core/run-events.js";
import type { Shape4, Triple } from "../core/shape.js";
import { type EngineName, startEngine } from "../engine/index.js";
import { nativeMissingReason } from "../kernels/native.js";
import type { Loss } from "../losses/index.js";
import { checkPatch } from "../models/index.js";
import type { BundleDescription } from "./bundle/bundle-description.js";
import { readBundleFile } from "./bundle/load-bundle.js";
import { hasCheckpoint, type LoadedCheckpoint, loadCheckpoint, requireSameRun } from "./bundle/load-checkpoint.js";
import { sha256 } from "./bundle/save-bundle.js";
import { versions } from "./bundle/versions.js";
import { defineConfig } from "./config/define-config.js";
import { loadConfig } from "./config/load-config.js";
import type { InitOptions, TrainingConfig } from "./config/training-config.js";
import type { BatchSource, GraphHost, TrainingBatch } from "./hosting/batch-source.js";
import { defaultMemory } from "./hosting/default-memory.js";
import type { GraphSettings } from "./hosting/graph-messages.js";
import { inspectGraph } from "./hosting/inspect-graph.js";
import { type GraphHostListener, localGraphHost } from "./hosting/local-graph-host.js";
import { stageLog } from "./hosting/stage-log.js";
import { threadGraphHost } from "./hosting/thread-graph-host.js";
import { freezeLayers } from "./learning/freeze-layers.js";
import { initWeights } from "./learning/init-weights.js";
import { type Learner, trainedVariables } from "./learning/learner.js";
import { makeOptimizer, type OptimizerOptions } from "./learning/make-optimizer.js";
import { weightAverage } from "./learning/weight-average.js";
import { dataFingerprint } from "./run/data-fingerprint.js";
import { describeMachine } from "./run/describe-machine.js";
import type { PreviewRenderer } from "./run/preview-input.js";
import { reportMachine } from "./run/report-machine.js";
import { resolveRunFolder } from "./run/resolve-run-folder.js";
import { RunControl } from "./run/run-control.js";
import { RunFolder } from "./run/run-folder.js";
import { runName } from "./run/run-name.js";
import type { RunningSchedule } from "./schedules/schedule.js";
import { splitCases } from "./split-cases.js";
import { stopOnSignals } from "./stop-on-signals.js";
import { Trainer } from "./trainer.js";
import { FRESH_STATE, type TrainingState } from "./training-state.js";

/** A run that skips more of its cases than this trains on something else than was asked for. */
const SKIPPED_SHARE = 0.1;
const LEAST_SKIP_BUDGET = 5;

/** Fields of a configuration that a caller may replace, such as those with an option on the command line. */
export type TrainOverrides = Partial<
  Pick<TrainingConfig, "name" | "runs" | "seed" | "engine" | "threads" | "workers" | "memory" | "onError" | "split">
> & {
  readonly epochs?: number;
  /** Instead of the configuration's `training.monitor`. */
  readonly monitor?: string;
  /** Folder of a bundle to begin with; the configuration's `freeze` stays. */
  readonly init?: string;
};

export interface TrainOptions {
  /** Continue from the run's latest checkpoint; a run without one begins anew. */
  readonly resume?: boolean;
  readonly overrides?: TrainOverrides;
  /** Aborting saves a checkpoint and ends with status `"stopped"`. */
  readonly signal?: AbortSignal;
  /** Do the same on SIGTERM and SIGINT. */
  readonly stopOnSignals?: boolean;
  /** Whether the graph runs in a thread of its own; by default when the configuration is a file, and possible only then. */
  readonly thread?: boolean;
  /** Hears everything that is written to `events.jsonl`. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Renders a picture of a validation patch after each epoch: the same one each time. */
  readonly preview?: PreviewRenderer;
}

export interface TrainResult {
  readonly status: "completed" | "stopped";
  /** Why it ended before its last epoch. */
  readonly reason: string | undefined;
  readonly folder: string;
  /** Epochs and steps done over the life of the run. */
  readonly epochs: number;
  readonly steps: number;
  /** Figures of the last finished epoch. */
  readonly loss: number | undefined;
  readonly metrics: Readonly<Record<string, number>>;
  readonly bestEpoch: number | undefined;
  readonly seconds: number;
}

/**
 * Trains as a configuration says, into a run folder.
 *
 * @throws `ERR_OPTION`; `ERR_CONFIG`, `ERR_MODEL` before data is read; `ERR_TRAINING` when the loss is not finite; `ERR_CHECKPOINT` when the run
 * cannot be resumed; and
 * what reading the data throws
 * @example
 * const { folder, loss } = await train("kits19.config.ts", { resume: true, stopOnSignals: true });
 */
export async function train(source: TrainingConfig | string, options: TrainOptions = {}): Promise<TrainResult> {
  requireKnownOptions("train", options, ["resume", "overrides", "signal", "stopOnSignals", "thread", "onEvent", "preview"]);
  const began = performance.now();
  const { overrides = {}, resume = false, onEvent, preview } = options;
  const path = typeof source === "string" ? source : undefined;
  const config = withOverrides(typeof source === "string" ? await loadConfig(source) : defineConfig(source), overrides);
  const { data, model: spec, seed = 0, training, validation = {} } = config;
  const init = typeof config.init === "string" ? { bundle: config.init } : config.init;

  const summary = inspectGraph(config);
  if (summary.patch) checkPatch(spec, summary.patch);
  const refs = await data.list();
  const parts = splitCases(refs, config.split, seed);
  const trainingIds = parts.training.map(({ id }) => id);
  const validationIds = parts.validation.map(({ id }) => id);
  const fingerprint = await dataFingerprint(refs);

  const engine = await startEngine({
    seed,
    // The engine checks the name.
    ...(config.engine !== undefined && { engine: config.engine as EngineName | "auto" }),
    ...(config.threads !== undefined && { threads: config.threads }),
  });
  const runPath = resolveRunFolder(config.runs ?? "runs", config.name ?? runName(path), resume);
  const latest = join(runPath, "checkpoints", "latest");
  const checkpoint = resume && (await hasCheckpoint(latest)) ? await loadCheckpoint(latest) : undefined;
  const optimizerOptions: OptimizerOptions = typeof training.optimizer === "object" ? training.optimizer : { name: training.optimizer ?? "adam" };
  const identity: Record<string, Json> = {
    seed,
    classes: data.classes,
    channels: data.channels,
    model: { name: spec.name, options: spec.options },
    loss: { name: config.loss.name, options: config.loss.options ?? {} },
    optimizer: { ...optimizerOptions },
    dataSet: fingerprint,
    trainingCases: sha256(trainingIds.join("\n")),
    patch: summary.patch ?? null,
    preprocessing: summary.preprocessing.map(({ name, params }) => ({ name, params })),
    ...(training.accumulate !== undefined && { accumulate: training.accumulate }),
    ...(training.ema !== undefined && { ema: training.ema }),
    ...(init && { init: { weights: (await readBundleFile(init.bundle)).weights.sha256, freeze: init.freeze ?? [] } }),
  };
  if (checkpoint) requireSameRun(latest, checkpoint.file.identity, identity);
  // Channels or classes that do not fit the network are found here, before there is a run folder and before data is read.
  const build = ([depth, height, width]: Triple): tfl.LayersModel => {
    checkPatch(spec, [depth, height, width]);
    const shape: Shape4 = [depth, height, width, data.channels];
    return spec.build({ shape, classes: data.classes.length, seed });
  };
  const built = checkpoint?.model ?? (summary.patch && build(summary.patch));
  if (built) config.loss.requireLevels?.(built.outputs.length);
  if (built && init?.freeze) freezeLayers(built, init.freeze);

  const folder = RunFolder.open(runPath, { ...(checkpoint && { mark: checkpoint.file.mark }), ...(onEvent && { onEvent }) });
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(options.signal?.reason);
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const forgetSignals = options.stopOnSignals ? stopOnSignals(controller) : undefined;
  const { signal } = controller;
  const settings: GraphSettings = {
    seed,
    memoryBytes: config.memory === undefined ? defaultMemory() : parseBytes(config.memory, "config", "memory"),
    workers: config.workers ?? Math.max(1, availableParallelism() - 1),
    onError: config.onError ?? "fail",
    skipBudget: config.skipBudget ?? Math.max(LEAST_SKIP_BUDGET, Math.ceil(SKIPPED_SHARE * trainingIds.length)),
    autotune: config.autotune ?? true,
    validates: validationIds.length > 0,
  };
  let endReports: (() => void) | undefined;
  let host: GraphHost | undefined;
  let batches: BatchSource | undefined;
  let trainer: Trainer | undefined;
  let learner: Learner | undefined;
  try {
    folder.manifest({
      name: basename(runPath),
      createdAt: new Date().toISOString(),
      ...identity,
      config: summarize(config, settings),
      metrics: (config.metrics ?? []).map((metric) => ({ name: metric.name, options: metric.options ?? {} })),
      cases: { training: trainingIds, validation: validationIds },
      versions: { ...versions() },
      engine: { name: engine.name, threads: engine.threads },
      machine: describeMachine(),
    });
    // What is behind a reader of the user's own is no file that could be shown.
    if (!data.read) folder.sources(refs);
    const control = new RunControl({ folder, signal, abort: (cause) => controller.abort(cause) });
    const { t: session } = folder.event({
      type: "start",
      run: basename(runPath),
      seed,
      engine: engine.name,
      epochs: training.epochs,
      classes: data.classes,
      pid: process.pid,
      ...(checkpoint && { resumedAtStep: checkpoint.file.state.step }),
      ...(training.stepsPerEpoch !== undefined && { stepsPerEpoch: training.stepsPerEpoch }),
    });
    control.begin(session);
    if ((config.engine ?? "auto") === "auto" && engine.name === "cpu") {
      folder.event({ type: "warning", message: `engine auto runs on cpu, many times slower than native: ${nativeMissingReason()}` });
    }
    if (resume && !checkpoint)
      folder.event({ type: "warning", message: `there is no checkpoint of ${basename(runPath)} to resume; training begins anew` });
    endReports = reportMachine(folder);
    const state = checkpoint?.file.state ?? FRESH_STATE;
    const quarantined = new Map((state.quarantined ?? []).map(({ id, message }) => [id, message] as const));
    const log = stageLog(folder, ({ id, message }) => {
      if (!quarantined.has(id)) quarantined.set(id, message);
    });
    host = await openHost(path, config, settings, options.thread, log);
    batches = await host.open({
      mode: "training",
      ids: trainingIds,
      validationIds,
      epochs: training.stepsPerEpoch === undefined ? training.epochs : Number.POSITIVE_INFINITY,
      from: state.position,
      quarantined: state.quarantined ?? [],
    });
    // A graph that cuts patches by an operator of the user's own shows their size only in its first batch.
    const first = summary.patch || checkpoint ? undefined : await control.during(firstBatch(batches, signal));
    const patch = summary.patch ?? checkpoint?.description.patch ?? first?.image.shape.slice(1, 4);
    if (patch) {
      const [depth, height, width] = patch as unknown as Triple;
      const network = built ?? build([depth, height, width]);
      if (init && !checkpoint) await begin(network, init, folder);
      const mismatch = supervisionMismatch(network, config.loss);
      if (mismatch !== undefined) folder.event({ type: "warning", message: mismatch });
      learner = makeLearner(network, config, optimizerOptions, checkpoint);
      const description: BundleDescription = {
        classes: data.classes,
        channels: data.channels,
        patch: [depth, height, width],
        spacing: summary.spacing,
        preprocessing: summary.preprocessing,
        model: { name: spec.name, options: spec.options },
        loss: { name: config.loss.name, options: config.loss.options ?? {} },
        engine: engine.name,
      };
      trainer = new Trainer(
        {
          training,
          learner,
          schedule: beginSchedule(config, state, checkpoint !== undefined),
          host,
          trainingIds,
          validationIds,
          validation,
          folder,
          description,
          identity,
          quarantined: () => [...quarantined].map(([id, message]) => ({ id, message })),
          signal,
          control,
          preview,
          onBatch: (number) => {
            engine.step = number;
          },
        },
        state,
      );
    }
    const status = trainer ? await trainer.run(batches, first) : "stopped";
    const reason = trainer?.stopReason ?? (status === "stopped" ? errorMessage(signal.reason ?? "stopped") : undefined);
    await batches.close();
    await endOf(trainer, folder, status, reason);
    const { epoch, step, last, best } = trainer?.state ?? state;
    return {
      status,
      reason,
      folder: runPath,
      epochs: epoch,
      steps: step,
      loss: last?.loss,
      metrics: last?.metrics ?? {},
      bestEpoch: best?.epoch,
      seconds: (performance.now() - began) / 1000,
    };
  } catch (error) {
    // Should the disk be what failed, this fails too; the first error is the one to know.
    await endOf(trainer, folder, "failed", errorMessage(error)).catch(() => {});
    throw error;
  } finally {
    forgetSignals?.();
    endReports?.();
    options.signal?.removeEventListener("abort", onAbort);
    await host?.close();
    learner?.optimizer.dispose();
    learner?.average?.dispose();
    (learner?.model ?? built)?.dispose();
    folder.close();
  }
}

function withOverrides(config: TrainingConfig, { epochs, monitor, init, ...fields }: TrainOverrides): TrainingConfig {
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const freeze = typeof config.init === "object" ? config.init.freeze : undefined;
  return defineConfig({
    ...config,
    ...given,
    ...(init !== undefined && { init: { bundle: init, ...(freeze && { freeze }) } }),
    training: { ...config.training, ...(epochs !== undefined && { epochs }), ...(monitor !== undefined && { monitor }) },
  });
}

/** Begins with the weights of an earlier training, and tells what begins anew. */
async function begin(network: tfl.LayersModel, { bundle, freeze = [] }: InitOptions, folder: RunFolder): Promise<void> {
  const { taken, total, anew } = await initWeights(network, bundle);
  if (anew.length > 0)
    folder.event({ type: "warning", message: `${taken} of ${total} weights come from ${bundle}; these layers begin anew: ${anew.join(", ")}` });
  freezeLayers(network, freeze);
}

async function openHost(
  path: string | undefined,
  config: TrainingConfig,
  settings: GraphSettings,
  thread: boolean | undefined,
  listener: GraphHostListener,
): Promise<GraphHost> {
  if (thread === true && path === undefined) {
    throw new VoxError("thread must be false for a configuration that is not a file: its functions cannot cross threads", {
      code: "ERR_OPTION",
      where: "train",
    });
  }
  return path !== undefined && thread !== false ? threadGraphHost(path, settings, listener) : localGraphHost(config, settings, listener);
}

async function firstBatch(batches: BatchSource, signal: AbortSignal): Promise<TrainingBatch | undefined> {
  const closeEarly = (): void => void batches.close();
  signal.addEventListener("abort", closeEarly, { once: true });
  try {
    const first = signal.aborted ? undefined : await batches.next();
    if (!first && !signal.aborted) throw new VoxError("the graph must deliver at least one batch, got none", { code: "ERR_EMPTY", where: "train" });
    return first;
  } finally {
    signal.removeEventListener("abort", closeEarly);
  }
}

function makeLearner(model: tfl.LayersModel, config: TrainingConfig, options: OptimizerOptions, checkpoint: LoadedCheckpoint | undefined): Learner {
  const { clipNorm, ema } = config.training;
  const variables = trainedVariables(model);
  const optimizer = makeOptimizer(options, variables);
  const average = ema === undefined ? undefined : weightAverage(ema, variables);
  if (checkpoint?.optimizer) {
    optimizer.restore(checkpoint.optimizer);
    average?.restore(checkpoint.optimizer.slots);
  }
  return { model, loss: config.loss, metrics: config.metrics ?? [], optimizer, average, classes: config.data.classes, clipNorm };
}

/** What is lost when network and loss do not agree on deep supervision; nothing fails then, but the user has meant something else. */
function supervisionMismatch(network: tfl.LayersModel, loss: Loss): string | undefined {
  const levels = network.outputs.length;
  if (levels > 1 && !loss.deep)
    return `the network gives logits at ${levels} levels, but the loss looks at the finest only; wrap it in deepSupervision()`;
  if (levels === 1 && loss.deep) return "the loss supervises several levels, but the network gives logits at one only; set its deepSupervision";
  return undefined;
}

function beginSchedule({ training }: TrainingConfig, state: TrainingState, isResumed: boolean): RunningSchedule {
  const base = training.learningRate ?? 1e-4;
  if (!training.schedule) return { rate: () => base, state: () => null };
  return isResumed ? training.schedule.begin(base, state.schedule) : training.schedule.begin(base);
}

async function endOf(
  trainer: Trainer | undefined,
  folder: RunFolder,
  status: "completed" | "stopped" | "failed",
  message: string | undefined,
): Promise<void> {
  if (trainer) await trainer.tellEnd(status, message);
  else folder.event({ type: "end", status, ...(message !== undefined && { message }) });
}

/** The plain parts of a configuration, for the manifest; functions and data sets are described elsewhere in it. */
function summarize(config: TrainingConfig, settings: GraphSettings): Json {
  const { schedule, callbacks, ...training } = config.training;
  const plain = {
    ...settings,
    split: config.split,
    validation: config.validation && { ...config.validation, graph: config.validation.graph && "own" },
    training: { ...training, schedule: schedule && { name: schedule.name, options: schedule.options }, callbacks: callbacks?.length },
  };
  // Through JSON, which leaves out what is undefined.
  return JSON.parse(JSON.stringify(plain)) as Json;
}
