import type { Json } from "../core/json.js";
import type { Position } from "../streams/index.js";
import type { QuarantinedCase } from "./hosting/quarantine.js";

/** Sums over the steps of an epoch; plain numbers, so that a resumed epoch ends with exactly the same means. */
export interface EpochSums {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly samples: number;
  readonly waitMs: number;
  readonly totalMs: number;
}

/** Where a training stands, beside weights and optimizer. Plain JSON: written into checkpoints as it is. */
export interface TrainingState {
  /** Epochs that are over. */
  readonly epoch: number;
  /** Steps that are done, over all epochs. */
  readonly step: number;
  readonly stepInEpoch: number;
  /** Steps of the last whole epoch; 0 while unknown. */
  readonly stepsPerEpoch: number;
  readonly position: Position;
  /** Those of all ranks, when there are several. */
  readonly positions?: readonly Position[];
  readonly sums: EpochSums;
  readonly schedule: Json;
  /** Best monitored figure so far, turned so that smaller is better. */
  readonly best: { readonly figure: number; readonly epoch: number } | null;
  /** Epochs since the figure last improved enough for early stopping, and that figure. */
  readonly patience: { readonly waited: number; readonly figure: number | null };
  /** Cases that failed for good, so that a resumed run leaves them out, too. Absent in checkpoints of before. */
  readonly quarantined?: readonly QuarantinedCase[];
  /** Durations of the last epochs, for the time left. */
  readonly epochSeconds: readonly number[];
  /** The last finished epoch's figures. */
  readonly last: { readonly loss: number; readonly metrics: Readonly<Record<string, number>> } | null;
}

export const NO_SUMS: EpochSums = { loss: 0, metrics: {}, samples: 0, waitMs: 0, totalMs: 0 };

export const FRESH_STATE: TrainingState = {
  epoch: 0,
  step: 0,
  stepInEpoch: 0,
  stepsPerEpoch: 0,
  position: {},
  sums: NO_SUMS,
  schedule: null,
  best: null,
  patience: { waited: 0, figure: null },
  epochSeconds: [],
  last: null,
};

/** The sums with one more step of `samples` samples. */
export function addStep(
  sums: EpochSums,
  step: {
    readonly loss: number;
    readonly metrics: Readonly<Record<string, number>>;
    readonly samples: number;
    readonly waitMs: number;
    readonly totalMs: number;
  },
): EpochSums {
  const metrics: Record<string, number> = {};
  for (const [name, value] of Object.entries(step.metrics)) metrics[name] = (sums.metrics[name] ?? 0) + value * step.samples;
  return {
    loss: sums.loss + step.loss * step.samples,
    metrics,
    samples: sums.samples + step.samples,
    waitMs: sums.waitMs + step.waitMs,
    totalMs: sums.totalMs + step.totalMs,
  };
}

/** Means over the samples of an epoch. */
export function epochMeans({ loss, metrics, samples }: EpochSums): { loss: number; metrics: Record<string, number> } {
  return { loss: loss / samples, metrics: Object.fromEntries(Object.entries(metrics).map(([name, sum]) => [name, sum / samples])) };
}
