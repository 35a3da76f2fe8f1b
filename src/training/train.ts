import { basename, join } from "node:path";
import type * as tfl from "@tensorflow/tfjs-layers";
import { parseBytes } from "../core/bytes.js";
import { errorMessage, requireOption, VoxError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { RunEvent } from "../core/run-events.js";
import type { Triple } from "../core/shape.js";
import { nativeMissingReason } from "../kernels/native.js";
import type { BundleDescription } from "./bundle/bundle-description.js";
import { hasCheckpoint, type LoadedCheckpoint, loadCheckpoint, requireSameRun } from "./bundle/load-checkpoint.js";
import { versions } from "./bundle/versions.js";
import { defineConfig } from "./config/define-config.js";
import { loadConfig } from "./config/load-config.js";
import { summarizeConfig } from "./config/summarize-config.js";
import type { TrainingConfig } from "./config/training-config.js";
import { type TrainOverrides, withOverrides } from "./config/with-overrides.js";
import type { BatchSource, GraphHost, TrainingBatch } from "./hosting/batch-source.js";
import { defaultMemory } from "./hosting/default-memory.js";
import { defaultWorkers } from "./hosting/default-workers.js";
import type { GraphSettings } from "./hosting/graph-messages.js";
import { HeldListener } from "./hosting/held-listener.js";
import { openHost } from "./hosting/open-host.js";
import { stageLog } from "./hosting/stage-log.js";
import { buildNetwork } from "./learning/build-network.js";
import { fitNetwork } from "./learning/fit-network.js";
import type { Learner } from "./learning/learner.js";
import { makeLearner, supervisionMismatch } from "./learning/make-learner.js";
import type { OptimizerOptions } from "./learning/make-optimizer.js";
import { type PreparedTraining, prepareTraining, requireSameData } from "./prepare-training.js";
import { launchedRanks } from "./ranks/launched-ranks.js";
import { openRanks } from "./ranks/open-ranks.js";
import type { Ranks } from "./ranks/ranks.js";
import { requireSkipBudget } from "./ranks/require-skip-budget.js";
import { together } from "./ranks/together.js";
import { describeMachine } from "./run/describe-machine.js";
import type { PreviewRenderer } from "./run/preview-input.js";
import { reportMachine } from "./run/report-machine.js";
import { resolveRunFolder } from "./run/resolve-run-folder.js";
import { RunControl } from "./run/run-control.js";
import { RunFolder } from "./run/run-folder.js";
import { runName } from "./run/run-name.js";
import { trainingIdentity } from "./run/training-identity.js";
import type { RunningSchedule } from "./schedules/schedule.js";
import { stopOnSignals } from "./stop-on-signals.js";
import { Trainer } from "./trainer.js";
import { FRESH_STATE, type TrainingState } from "./training-state.js";

/** A run that skips more of its cases than this trains on something else than was asked for. */
const SKIPPED_SHARE = 0.1;
const LEAST_SKIP_BUDGET = 5;

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
  /** The processes that train together: by default those that `mpirun` started, or this one alone. */
  readonly ranks?: Ranks;
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
  requireKnownOptions("train", options, ["resume", "overrides", "signal", "stopOnSignals", "thread", "onEvent", "ranks", "preview"]);
  const ranks = options.ranks ?? (await openRanks());
  ranks.enter();
  let failure: unknown;
  try {
    return await trainRank(source, options, ranks);
  } catch (error) {
    failure = error ?? new Error("unknown");
    throw error;
  } finally {
    ranks.leave(failure);
  }
}

async function trainRank(source: TrainingConfig | string, options: TrainOptions, ranks: Ranks): Promise<TrainResult> {
  const began = performance.now();
  const { overrides = {}, resume = false, onEvent, preview } = options;
  const path = typeof source === "string" ? source : undefined;
  requireOption(
    options.thread !== true || path !== undefined,
    "train",
    "thread",
    "false for a configuration that is not a file, whose functions cannot cross threads",
    true,
  );
  const launched = launchedRanks();
  let config!: TrainingConfig;
  let prepared!: PreparedTraining;
  const fingerprints = await together(ranks, async () => {
    config = withOverrides(typeof source === "string" ? await loadConfig(source) : defineConfig(source), overrides);
    prepared = await prepareTraining(config, ranks, launched);
    return prepared.fingerprint;
  });
  requireSameData(fingerprints);
  const { refs, summary, trainingIds, validationIds, engine } = prepared;
  const { data, model: spec, seed = 0, training, validation = {} } = config;
  const init = typeof config.init === "string" ? { bundle: config.init } : config.init;

  // The first rank finds out where the run is, and repairs what an interrupted write may have left, before the others look.
  const [place] = await together(ranks, async () => {
    const found = resolveRunFolder(config.runs ?? "runs", config.name ?? runName(path), resume || ranks.rank > 0);
    return { runPath: found, isResumed: resume && ranks.rank === 0 && (await hasCheckpoint(join(found, "checkpoints", "latest"))) };
  });
  const { runPath, isResumed } = place!;
  const latest = join(runPath, "checkpoints", "latest");
  const optimizerOptions: OptimizerOptions = typeof training.optimizer === "object" ? training.optimizer : { name: training.optimizer ?? "adam" };
  const identity = await trainingIdentity({ config, prepared, optimizer: optimizerOptions, init, ranks: ranks.size });
  // Channels or classes that do not fit the network are found here, before there is a run folder and before data is read.
  const build = (patch: Triple): tfl.LayersModel => buildNetwork(spec, { patch, channels: data.channels, classes: data.classes.length, seed });
  let folder: RunFolder | undefined;
  let checkpoint: LoadedCheckpoint | undefined;
  let built: tfl.LayersModel | undefined;
  let taken: Awaited<ReturnType<typeof fitNetwork>>;
  const fit = { config, isValidated: validationIds.length > 0 };

  const controller = new AbortController();
  const onAbort = (): void => controller.abort(options.signal?.reason);
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const forgetSignals = options.stopOnSignals ? stopOnSignals(controller) : undefined;
  const { signal } = controller;
  // The ranks of a machine share what the machine may give.
  const memoryBytes = Math.floor(
    (config.memory === undefined ? defaultMemory() : parseBytes(config.memory, "config", "memory")) / launched.localSize,
  );
  const settings: GraphSettings & { readonly skipBudget: number } = {
    seed,
    memoryBytes,
    workers: config.workers ?? defaultWorkers(memoryBytes, launched.processors),
    fewerWorkers: config.workers === undefined,
    onError: config.onError ?? "fail",
    skipBudget: config.skipBudget ?? Math.max(LEAST_SKIP_BUDGET, Math.ceil(SKIPPED_SHARE * trainingIds.length)),
    autotune: config.autotune ?? true,
    validates: validationIds.length > 0,
  };
  const held = new HeldListener();
  let endReports: (() => void) | undefined;
  let host: GraphHost | undefined;
  let batches: BatchSource | undefined;
  let trainer: Trainer | undefined;
  let learner: Learner | undefined;
  try {
    await together(ranks, async () => {
      checkpoint = isResumed ? await loadCheckpoint(latest) : undefined;
      if (checkpoint) requireSameRun(latest, checkpoint.file.identity, identity);
      built = checkpoint?.model ?? (summary.patch && build(summary.patch));
      if (built) taken = await fitNetwork(built, { ...fit, isResumed: checkpoint !== undefined });
      return null;
    });
    const saved = checkpoint?.file.state ?? FRESH_STATE;
    // The checkpoint is rank 0's.
    const state = { ...saved, position: saved.positions?.[ranks.rank] ?? saved.position };
    // A budget that cannot work is refused here, before there is a run folder.
    await together(ranks, async () => {
      host = await openHost(path, config, settings, options.thread, held.listener);
      batches = await host.open({
        mode: "training",
        ids: trainingIds.filter((_, k) => k % ranks.size === ranks.rank),
        validationIds,
        epochs: training.stepsPerEpoch === undefined ? training.epochs : Number.POSITIVE_INFINITY,
        from: state.position,
        quarantined: state.quarantined ?? [],
      });
      folder = openFolder(runPath, ranks, checkpoint, onEvent);
      return null;
    });
    const run = folder!;
    const manifest: Json = {
      name: basename(runPath),
      createdAt: new Date().toISOString(),
      ...identity,
      config: summarizeConfig(config, settings),
      metrics: (config.metrics ?? []).map((metric) => ({ name: metric.name, options: metric.options ?? {} })),
      cases: { training: trainingIds, validation: validationIds },
      versions: { ...versions() },
      engine: { name: engine.name, threads: engine.threads },
      machine: describeMachine(),
    };
    // The folders of the other ranks are no runs of their own.
    if (ranks.rank === 0) run.manifest(manifest);
    // What is behind a reader of the user's own is no file that could be shown.
    if (ranks.rank === 0 && !data.read) run.sources(refs);
    const control = new RunControl({ folder: run, signal, abort: (cause) => controller.abort(cause) });
    const { t: session } = run.event({
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
      run.event({ type: "warning", message: `engine auto runs on cpu, many times slower than native: ${nativeMissingReason()}` });
    }
    if (prepared.warning !== undefined) run.event({ type: "warning", message: prepared.warning });
    if (resume && !checkpoint)
      run.event({ type: "warning", message: `there is no checkpoint of ${basename(runPath)} to resume; training begins anew` });
    endReports = reportMachine(run);
    tellInit(taken, run);
    const quarantined = new Map((state.quarantined ?? []).map(({ id, message }) => [id, message] as const));
    const log = stageLog(run, ({ id, message }) => {
      if (!quarantined.has(id)) quarantined.set(id, message);
    });
    held.hear(log);
    let first: TrainingBatch | undefined;
    const patches = await together(ranks, async () => {
      // A graph that cuts patches by an operator of the user's own shows their size only in its first batch.
      first = summary.patch || checkpoint ? undefined : await control.during(firstBatch(batches!, signal));
      const patch = summary.patch ?? checkpoint?.description.patch ?? (first?.image.shape.slice(1, 4) as Triple | undefined) ?? null;
      const network = patch && (built ?? build(patch));
      if (!network) return null;
      // One whose patch its first batch has shown.
      if (!built) tellInit(await fitNetwork(network, { ...fit, isResumed: false }), run);
      learner = makeLearner(network, config, optimizerOptions, checkpoint);
      return patch;
    });
    // Without a patch on one rank, a signal has come before its first batch.
    const patch = patches.includes(null) ? null : patches[ranks.rank]!;
    if (patch && learner) {
      const mismatch = supervisionMismatch(learner.model, config.loss);
      if (mismatch !== undefined) run.event({ type: "warning", message: mismatch });
      const description: BundleDescription = {
        classes: data.classes,
        channels: data.channels,
        patch,
        spacing: summary.spacing,
        preprocessing: summary.preprocessing,
        model: { name: spec.name, options: spec.options },
        loss: { name: config.loss.name, options: config.loss.options ?? {} },
        engine: engine.name,
      };
      trainer = new Trainer(
        {
          ranks,
          training,
          learner,
          schedule: beginSchedule(config, state, checkpoint !== undefined),
          host: host!,
          trainingIds,
          validationIds,
          validation,
          folder: run,
          description,
          identity,
          quarantined: () => [...quarantined].map(([id, message]) => ({ id, message })),
          onQuarantined: (told) => {
            for (const [rank, failed] of told.entries()) {
              for (const { id, message } of rank === ranks.rank ? [] : failed) {
                if (quarantined.has(id)) continue;
                quarantined.set(id, message);
                run.event({ type: "skip", id, stage: `rank ${rank}`, message });
              }
            }
            requireSkipBudget({ told, trainingIds, validationIds, budget: settings.skipBudget });
          },
          signal,
          control,
          preview,
          onBatch: (number) => {
            // Other dropout on each rank.
            engine.step = (number - 1) * ranks.size + ranks.rank + 1;
          },
        },
        state,
      );
    }
    const status = trainer ? await trainer.run(batches!, first) : "stopped";
    const reason = trainer?.stopReason ?? (status === "stopped" ? errorMessage(signal.reason ?? "stopped") : undefined);
    await batches?.close();
    await endOf(trainer, run, status, reason);
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
    if (folder) await endOf(trainer, folder, "failed", errorMessage(error)).catch(() => {});
    throw error;
  } finally {
    forgetSignals?.();
    endReports?.();
    options.signal?.removeEventListener("abort", onAbort);
    await host?.close();
    learner?.optimizer.dispose();
    learner?.average?.dispose();
    (learner?.model ?? built)?.dispose();
    folder?.close();
  }
}

/** Tells which layers begin anew. */
function tellInit(report: Awaited<ReturnType<typeof fitNetwork>>, folder: RunFolder): void {
  if (!report || report.anew.length === 0) return;
  const { taken, total, bundle, anew } = report;
  folder.event({ type: "warning", message: `${taken} of ${total} weights come from ${bundle}; these layers begin anew: ${anew.join(", ")}` });
}

/** The run's folder; the other ranks write what happens to them into one of their own in it, which a resumed run goes on with. */
function openFolder(path: string, ranks: Ranks, checkpoint: LoadedCheckpoint | undefined, onEvent: TrainOptions["onEvent"]): RunFolder {
  const isFirst = ranks.rank === 0;
  const whole = { eventsBytes: Number.POSITIVE_INFINITY, historyBytes: Number.POSITIVE_INFINITY };
  return RunFolder.open(isFirst ? path : join(path, "ranks", String(ranks.rank)), {
    ...(checkpoint && { mark: isFirst ? checkpoint.file.mark : whole }),
    ...(onEvent && isFirst && { onEvent }),
  });
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
