import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { VoxError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import type { RunEvent } from "../core/run-events.js";
import type { BundleDescription } from "./bundle/bundle-description.js";
import { saveCheckpoint } from "./bundle/save-checkpoint.js";
import type { TrainingOptions, ValidationOptions } from "./config/training-config.js";
import type { BatchSource, GraphHost, TrainingBatch } from "./hosting/batch-source.js";
import type { QuarantinedCase } from "./hosting/quarantine.js";
import { learnGroup } from "./learning/learn-group.js";
import { type Learner, trainedVariables, updateWeights } from "./learning/learner.js";
import type { OptimizerState } from "./learning/make-optimizer.js";
import { caseColumns } from "./learning/validate-cases.js";
import { type EpochValidation, validateEpoch } from "./learning/validate-epoch.js";
import { monitoredFigure } from "./monitored-figure.js";
import { orAborted } from "./or-aborted.js";
import type { Ranks } from "./ranks/ranks.js";
import { shareGroup } from "./ranks/share-group.js";
import { shareWeights } from "./ranks/share-weights.js";
import { sharedError, together } from "./ranks/together.js";
import { CasePredictions } from "./run/case-predictions.js";
import type { PreviewInput, PreviewRenderer } from "./run/preview-input.js";
import { PreviewVolumes } from "./run/preview-volumes.js";
import type { RunControl } from "./run/run-control.js";
import type { RunEventInput, RunFolder } from "./run/run-folder.js";
import { SampleCapture } from "./run/sample-capture.js";
import type { RunningSchedule, ScheduleMoment } from "./schedules/schedule.js";
import { secondsLeft } from "./seconds-left.js";
import type { CallbackContext } from "./training-callback.js";
import { addStep, epochMeans, NO_SUMS, type TrainingState } from "./training-state.js";

export interface TrainerOptions {
  readonly ranks: Ranks;
  readonly training: TrainingOptions;
  readonly learner: Learner;
  readonly schedule: RunningSchedule;
  readonly host: GraphHost;
  readonly trainingIds: readonly string[];
  readonly validationIds: readonly string[];
  readonly validation: ValidationOptions;
  readonly folder: RunFolder;
  readonly description: BundleDescription;
  readonly identity: Readonly<Record<string, Json>>;
  /** Cases that have failed so far. */
  readonly quarantined: () => readonly QuarantinedCase[];
  /** Cases that have failed on each rank so far; throws, on all of them, when they are too many. */
  readonly onQuarantined: (told: readonly (readonly QuarantinedCase[])[]) => void;
  readonly signal: AbortSignal;
  /** What this session is asked for meanwhile. */
  readonly control: RunControl;
  readonly preview: PreviewRenderer | undefined;
  /** Before each batch, with a number of its own: that of the step when a step takes one batch. */
  readonly onBatch?: (number: number) => void;
}

/** How many of the last epochs the time left is estimated from. */
const RECENT_EPOCHS = 5;
const DEFAULT_CHECKPOINT_MINUTES = 5;
/** A step of several ranks is done by all. */
const NEVER = new AbortController().signal;
/** Most of the time that checkpoints at the ends of epochs may take. */
const SAVE_SHARE = 0.05;

/** The training loop: next batch → forward, loss, backward, clip, update → log; after each epoch validate, save, decide. */
export class Trainer {
  /** Why training ended before its last epoch, other than by a signal. */
  stopReason: string | undefined;
  private source: BatchSource | undefined;
  /** A batch of the next epoch, which told that this one is over. */
  private early: TrainingBatch | undefined;
  private readonly context: CallbackContext;
  private epochBegan = performance.now();
  private stepEnded = performance.now();
  private savedAt = performance.now();
  private saveMs = 0;
  private savedStep: number;
  private readonly samples: SampleCapture;
  private readonly previewVolumes = new PreviewVolumes();
  private readonly kept: CasePredictions;

  constructor(
    private readonly options: TrainerOptions,
    public state: TrainingState,
  ) {
    const { learner, folder } = options;
    this.samples = new SampleCapture(folder, learner.classes);
    this.savedStep = state.step;
    this.kept = new CasePredictions({ folder, classes: learner.classes.length, keep: options.validation.cases?.keep });
    this.context = { model: learner.model, folder: folder.path, classes: learner.classes, stop: (reason) => (this.stopReason ??= reason) };
  }

  async run(source: BatchSource, first?: TrainingBatch): Promise<"completed" | "stopped"> {
    const { training, signal, ranks, learner } = this.options;
    this.source = source;
    this.early = first;
    await shareWeights(ranks, learner.model);
    while (this.state.epoch < training.epochs) {
      if (this.stopReason === undefined) await this.obey(() => this.saveLatest());
      const isWhole = this.state.stepInEpoch === training.stepsPerEpoch;
      let batch: TrainingBatch | undefined;
      const turns = await together(ranks, async () => {
        if (!isWhole && !signal.aborted && this.stopReason === undefined) batch = await this.options.control.during(this.nextBatch());
        const failed = this.options.quarantined().map((item) => ({ ...item }));
        return { isStopped: signal.aborted, reason: this.stopReason ?? null, epoch: batch?.epoch ?? null, failed };
      });
      this.options.onQuarantined(turns.map(({ failed }) => failed));
      this.stopReason ??= turns.find(({ reason }) => reason !== null)?.reason ?? undefined;
      if (this.stopReason !== undefined) break;
      if (turns.some(({ isStopped }) => isStopped)) return this.leave();
      if (isWhole) {
        if (!(await this.endEpoch())) return this.leave();
        continue;
      }
      const epochs = turns.flatMap(({ epoch }) => (epoch === null ? [] : [epoch]));
      const isOfEpoch = (epoch: number): boolean => training.stepsPerEpoch !== undefined || epoch <= this.state.epoch;
      if (!epochs.some(isOfEpoch)) {
        this.early = batch;
        if (this.state.stepInEpoch > 0 && training.stepsPerEpoch === undefined) {
          if (!(await this.endEpoch())) return this.leave();
        } else if (epochs.length === 0) break;
        // Every case of an epoch was skipped.
        else this.state = { ...this.state, epoch: Math.min(...epochs) };
        continue;
      }
      if (batch && !isOfEpoch(batch.epoch)) {
        this.early = batch;
        batch = undefined;
      }
      await this.step(batch);
    }
    if (this.state.step > this.savedStep) await this.saveLatest();
    if (this.state.step === 0)
      throw sharedError(new VoxError("the graph must deliver at least one batch, got none", { code: "ERR_EMPTY", where: "trainer" }));
    return "completed";
  }

  /** Does what was asked for meanwhile; time that the run stands paused is nobody's. */
  private async obey(checkpoint: () => Promise<void>): Promise<void> {
    const pausedMs = await this.options.control.obey({ step: this.state.step, samples: () => this.samples.ask(), checkpoint });
    this.stepEnded += pausedMs;
    this.epochBegan += pausedMs;
  }

  /** The next batch, or undefined at the end of the data or when the signal comes first. */
  private async nextBatch(signal = this.options.signal): Promise<TrainingBatch | undefined> {
    if (this.early) {
      const batch = this.early;
      this.early = undefined;
      return batch;
    }
    return orAborted(this.source!.next(), signal);
  }

  /** What ends a step in the middle: a signal, but not when other ranks take part in the step. */
  private stepSignal(): AbortSignal {
    return this.options.ranks.size === 1 ? this.options.signal : NEVER;
  }

  /** A step of all ranks; on one whose share of the epoch is used up, without a batch. */
  private async step(first: TrainingBatch | undefined): Promise<void> {
    const { training, learner, schedule, ranks } = this.options;
    const { state } = this;
    const step = state.step + 1;
    const learningRate = schedule.rate(this.moment());
    let waitMs = first ? this.source!.waitMs : 0;
    if (first) this.samples.look(first, { step, epoch: state.epoch + 1, isFirst: state.stepInEpoch === 0 });
    const group = await shareGroup({
      ranks,
      variables: trainedVariables(learner.model).map(({ variable }) => variable),
      position: state.position,
      waitMs: () => waitMs,
      learn: async () =>
        first &&
        learnGroup({
          learner,
          first,
          size: training.accumulate ?? 1,
          step,
          next: async () => {
            const batch = await this.options.control.during(this.batchOfEpoch());
            if (batch) waitMs += this.source!.waitMs;
            return batch;
          },
          onBatch: this.options.onBatch,
          signal: this.stepSignal(),
        }),
    });
    if (!group) return;
    const { positions, samples } = group;
    const { loss, metrics } = group.figures;
    const began = performance.now();
    await updateWeights(learner, group.gradients, learningRate, step);
    const now = performance.now();
    const stepMs = group.workMs + now - began;
    const totalMs = now - this.stepEnded;
    this.stepEnded = now;
    this.state = {
      ...state,
      step,
      stepInEpoch: state.stepInEpoch + 1,
      position: positions[ranks.rank]!,
      ...(ranks.size > 1 && { positions }),
      sums: addStep(state.sums, { loss, metrics, samples, waitMs: group.waitMs, totalMs }),
      schedule: schedule.state(),
    };
    const remainingSeconds = secondsLeft(this.state, training, (now - this.epochBegan) / 1000);
    await this.tell({
      type: "step",
      step,
      epoch: state.epoch + 1,
      loss,
      metrics,
      learningRate,
      waitMs: group.waitMs,
      stepMs,
      ...(remainingSeconds !== undefined && { remainingSeconds }),
    });
    const { everySteps, everyMinutes = DEFAULT_CHECKPOINT_MINUTES } = training.checkpoint ?? {};
    if ((everySteps !== undefined && step % everySteps === 0) || performance.now() - this.savedAt > everyMinutes * 60_000) await this.saveLatest();
    // Signals, reports of the graph and timers get their turn even when batches are always ready.
    await nextTurn();
  }

  /** The next batch for a step that has begun; one of the next epoch is kept for later. */
  private async batchOfEpoch(): Promise<TrainingBatch | undefined> {
    const batch = await this.nextBatch(this.stepSignal());
    if (batch === undefined || this.options.training.stepsPerEpoch !== undefined || batch.epoch <= this.state.epoch) return batch;
    this.early = batch;
    return undefined;
  }

  /** Validates, logs, saves, decides how to go on. False when a signal came while validating: the epoch is then not over. */
  private async endEpoch(): Promise<boolean> {
    const { training, folder, schedule, validationIds, learner, ranks } = this.options;
    const { patches = true, cases } = this.options.validation;
    await shareWeights(ranks, learner.model);
    const validation = await this.swapped(() => this.options.control.during(this.validate()));
    if (validation === "stopped") return false;
    const { state } = this;
    const epoch = state.epoch + 1;
    const { loss, metrics } = epochMeans(state.sums);
    const learningRate = schedule.rate(this.moment());
    const columns: Record<string, number | undefined> = { epoch, loss, ...metrics };
    const isValidated = validationIds.length > 0;
    if (isValidated && patches) {
      columns.val_loss = validation?.loss;
      for (const name of Object.keys(metrics)) columns[`val_${name}`] = validation?.metrics[name];
    }
    if (isValidated && cases) for (const name of caseColumns(learner.classes)) columns[`val_${name}`] = validation?.metrics[name];
    const figure = monitoredFigure(columns, training.monitor ?? (isValidated ? (patches ? "val_loss" : "val_dice") : "loss"));
    const isBest = figure !== undefined && (state.best === null || figure < state.best.figure);
    if (figure !== undefined) schedule.epochEnd?.(figure);
    const seconds = (performance.now() - this.epochBegan) / 1000;
    this.epochBegan = performance.now();
    const epochSeconds = [...state.epochSeconds, seconds].slice(-RECENT_EPOCHS);
    const remainingSeconds = (epochSeconds.reduce((sum, s) => sum + s, 0) / epochSeconds.length) * (training.epochs - epoch);
    this.state = {
      ...state,
      epoch,
      stepInEpoch: 0,
      stepsPerEpoch: state.stepInEpoch,
      sums: NO_SUMS,
      schedule: schedule.state(),
      best: isBest ? { figure, epoch } : state.best,
      patience: this.patience(figure),
      epochSeconds,
      last: { loss, metrics },
    };
    folder.row({ ...columns, lr: learningRate });
    await this.tell({
      type: "epoch",
      epoch,
      step: state.step,
      loss,
      metrics,
      ...(validation?.loss !== undefined && { validationLoss: validation.loss }),
      ...(validation && { validationMetrics: validation.metrics }),
      learningRate,
      seconds,
      remainingSeconds,
      waitShare: state.sums.totalMs > 0 ? Math.min(1, state.sums.waitMs / state.sums.totalMs) : 0,
    });
    if (isBest) await this.swapped(() => this.save("best"));
    // Epochs of a second must not spend half of it on writing checkpoints.
    const isCheap = performance.now() - this.savedAt > this.saveMs / SAVE_SHARE;
    if (isCheap || this.state.epoch === training.epochs) await this.saveLatest();
    this.stepEnded = performance.now();
    return true;
  }

  private validate(): Promise<EpochValidation | "stopped" | undefined> {
    const { ranks, learner, host, validationIds: ids, validation, signal, preview, folder, description } = this.options;
    const epoch = this.state.epoch + 1;
    return validateEpoch({
      ranks,
      learner,
      host,
      epoch,
      ids,
      validation,
      patch: description.patch,
      signal,
      // A checkpoint taken here holds the weights that are trained, not their mean, and stands before this validation.
      onTurn: () => this.obey(() => this.swapped(() => this.saveLatest())),
      ...(ranks.rank === 0 && { kept: this.kept }),
      ...(preview &&
        ranks.rank === 0 && {
          show: ({ foreground: _, ...patch }) => this.render({ ...patch, epoch, classes: learner.classes, folder: folder.path }),
        }),
    });
  }

  private async render(input: PreviewInput): Promise<void> {
    const { preview, folder, description } = this.options;
    const path = await preview?.(input);
    if (path === undefined) return;
    const volumes = await this.previewVolumes.write(input, description.spacing);
    folder.event({ type: "preview", path, id: input.id, epoch: input.epoch, ...(volumes && { volumes }) });
  }

  private patience(figure: number | undefined): TrainingState["patience"] {
    const { earlyStopping } = this.options.training;
    const { patience } = this.state;
    if (!earlyStopping || figure === undefined) return patience;
    if (patience.figure === null || figure < patience.figure - (earlyStopping.minDelta ?? 0)) return { waited: 0, figure };
    const waited = patience.waited + 1;
    if (waited >= earlyStopping.patience) this.stopReason ??= `no improvement for ${waited} epochs`;
    return { ...patience, waited };
  }

  /** Does something with the mean of the weights in the network instead of the weights, when it is kept; within itself, with the weights again. */
  private async swapped<T>(work: () => Promise<T>): Promise<T> {
    const { average } = this.options.learner;
    average?.swap();
    try {
      return await work();
    } finally {
      average?.swap();
    }
  }

  private moment(): ScheduleMoment {
    const { epoch, step, stepInEpoch, stepsPerEpoch } = this.state;
    const { epochs, stepsPerEpoch: planned = stepsPerEpoch } = this.options.training;
    return { epoch, epochs, step, fraction: planned > 0 ? Math.min(1, stepInEpoch / planned) : 0 };
  }

  private async leave(): Promise<"stopped"> {
    if (this.state.step > 0) await this.saveLatest();
    return "stopped";
  }

  async saveLatest(): Promise<void> {
    const began = performance.now();
    await this.save("latest");
    this.savedAt = performance.now();
    this.saveMs = this.savedAt - began;
    this.savedStep = this.state.step;
  }

  private async save(kind: "latest" | "best"): Promise<void> {
    const { learner, folder, description, identity, ranks } = this.options;
    if (ranks.rank > 0) return;
    const path = join("checkpoints", kind);
    await saveCheckpoint(join(folder.path, path), {
      kind,
      model: learner.model,
      description,
      identity,
      state: { ...this.state, quarantined: this.options.quarantined() },
      mark: folder.mark(),
      ...(kind === "latest" && { optimizer: await this.learnerState() }),
    });
    folder.event({ type: "checkpoint", kind, epoch: this.state.epoch, step: this.state.step, path });
  }

  /** All that the learner remembers beside the weights. */
  private async learnerState(): Promise<OptimizerState> {
    const { optimizer, average } = this.options.learner;
    const { steps, slots } = await optimizer.state();
    return { steps, slots: new Map([...slots, ...((await average?.state()) ?? [])]) };
  }

  private async tell(input: RunEventInput): Promise<void> {
    const event: RunEvent = this.options.folder.event(input);
    if (this.options.ranks.rank > 0) return;
    for (const callback of this.options.training.callbacks ?? []) {
      if (event.type === "step") await callback.onStep?.(event, this.context);
      if (event.type === "epoch") await callback.onEpoch?.(event, this.context);
    }
  }

  async tellEnd(status: "completed" | "stopped" | "failed", message: string | undefined): Promise<void> {
    const event = this.options.folder.event({ type: "end", status, ...(message !== undefined && { message }) });
    if (event.type !== "end" || this.options.ranks.rank > 0) return;
    for (const callback of this.options.training.callbacks ?? []) await callback.onEnd?.(event, this.context);
  }
}
