import type { RunRecord } from "./run-record.js";

export type RunState = "running" | "paused" | "silent" | "completed" | "stopped" | "failed" | "empty";

/** One line of the list of runs. */
export interface RunSummary {
  readonly id: string;
  readonly state: RunState;
  /** Share of the event file that has been read, 1 when all of it. */
  readonly progress: number;
  readonly started: number | undefined;
  /** Time of the last event; of the file while it has none. */
  readonly updated: number;
  readonly engine: string | undefined;
  readonly classes: readonly string[];
  readonly step: number | undefined;
  /** Finished epochs. */
  readonly epoch: number | undefined;
  readonly epochs: number | undefined;
  readonly loss: number | undefined;
  readonly best: BestScore | undefined;
  /** A few dozen values of the loss, for a small curve. */
  readonly spark: readonly number[];
  readonly remainingSeconds: number | undefined;
  readonly warnings: number;
  readonly skipped: number;
  readonly corruptLines: number;
  readonly message: string | undefined;
}

export interface BestScore {
  readonly name: string;
  readonly value: number;
  readonly epoch: number;
  readonly isValidation: boolean;
}

/** Without any event for so long, a run that never wrote its end is called silent: killed, hung, or in a very long step. */
const SILENT_MS = 120_000;
const SPARK_POINTS = 40;

export interface SummarizeRunOptions {
  readonly now: number;
  readonly modified: number;
  readonly corruptLines: number;
  readonly progress: number;
}

/** The line of one run in the list. */
export function summarizeRun(id: string, record: RunRecord, { now, modified, corruptLines, progress }: SummarizeRunOptions): RunSummary {
  const { start, end, step, epoch } = record;
  return {
    id,
    state:
      end?.status ??
      (record.events === 0 && progress === 1 ? "empty" : now - modified > SILENT_MS ? "silent" : record.isPaused ? "paused" : "running"),
    progress,
    started: start?.t,
    updated: record.lastTime || modified,
    engine: start?.engine,
    classes: start?.classes ?? [],
    step: placeOf(record).step,
    epoch: epoch?.epoch ?? (step ? step.epoch - 1 : undefined),
    epochs: start?.epochs || undefined,
    loss: epoch?.loss ?? step?.loss,
    best: bestScore(record),
    spark: spark(record),
    remainingSeconds: end ? undefined : remainingSeconds(record, now),
    warnings: record.warnings.count,
    skipped: record.skips.count,
    corruptLines,
    message: end?.message,
  };
}

/** How far a run has come. */
export interface RunPlace {
  /** Steps done over the life of the run. */
  readonly step: number | undefined;
  /** The epoch that is under way, or the last one. */
  readonly epoch: number | undefined;
  /** Steps done in that epoch while it is under way; unknown where epochs have no fixed length. */
  readonly inEpoch: number | undefined;
  readonly perEpoch: number | undefined;
}

/** Where a run stands, also in the middle of an epoch and right after it was resumed there, before its first new step. */
export function placeOf({ start, step, epoch }: Pick<RunRecord, "start" | "step" | "epoch">): RunPlace {
  const known = [step?.step, epoch?.step, start?.resumedAtStep].filter((at) => at !== undefined);
  if (known.length === 0) return { step: undefined, epoch: undefined, inEpoch: undefined, perEpoch: start?.stepsPerEpoch };
  const at = Math.max(...known);
  const ended = epoch && epoch.step >= at ? epoch : undefined;
  // The steps before this epoch: those up to the last one that ended, or counted where its event lies too far back.
  const perEpoch = start?.stepsPerEpoch ?? (epoch && epoch.epoch > 0 && epoch.step % epoch.epoch === 0 ? epoch.step / epoch.epoch : undefined);
  const name = ended?.epoch ?? (step?.step === at ? step.epoch : perEpoch === undefined ? (epoch?.epoch ?? 0) + 1 : Math.floor(at / perEpoch) + 1);
  const inEpoch = perEpoch === undefined || ended ? undefined : at - (name - 1) * perEpoch;
  return { step: at, epoch: name, inEpoch: inEpoch !== undefined && inEpoch >= 0 && inEpoch <= perEpoch! ? inEpoch : undefined, perEpoch };
}

/** The trainer's latest estimate, less the time since then. */
export function remainingSeconds({ step, epoch }: Pick<RunRecord, "step" | "epoch">, now: number): number | undefined {
  const isStepLatest = step?.remainingSeconds !== undefined && step.t >= (epoch?.t ?? 0);
  const [seconds, t] = isStepLatest ? [step.remainingSeconds!, step.t] : [epoch?.remainingSeconds, epoch?.t ?? 0];
  return seconds === undefined ? undefined : Math.max(0, seconds - (now - t) / 1000);
}

/** The best value of the first validation metric, or of the first training metric when nothing is validated. */
export function bestScore({ epochs }: Pick<RunRecord, "epochs">): BestScore | undefined {
  const name = epochs.names.find((n) => n.startsWith("validation/")) ?? epochs.names.find((n) => n.startsWith("metric/"));
  if (name === undefined) return undefined;
  const { x, min, max } = epochs.points(name);
  const isLowerBetter = /loss|hd|assd|distance|error/i.test(name);
  const values = isLowerBetter ? min : max;
  let best = 0;
  for (let i = 1; i < values.length; i++) if (isLowerBetter ? values[i]! < values[best]! : values[i]! > values[best]!) best = i;
  if (values.length === 0) return undefined;
  return { name: name.slice(name.indexOf("/") + 1), value: values[best]!, epoch: x[best]!, isValidation: name.startsWith("validation/") };
}

function spark({ steps, epochs }: RunRecord): number[] {
  const byEpoch = epochs.points("loss").mean;
  const values = byEpoch.length >= 8 ? byEpoch : steps.points("loss").mean;
  if (values.length <= SPARK_POINTS) return [...values];
  return Array.from({ length: SPARK_POINTS }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / SPARK_POINTS), Math.floor(((i + 1) * values.length) / SPARK_POINTS));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
