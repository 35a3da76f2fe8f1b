import type { Json } from "../../core/json.js";

/** Where training stands when a step asks for its learning rate. */
export interface ScheduleMoment {
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done, over all epochs. */
  readonly step: number;
  /** Progress within the epoch, 0..1; 0 while the length of an epoch is unknown. */
  readonly fraction: number;
}

/** The state of a schedule in one run. */
export interface RunningSchedule {
  rate(moment: ScheduleMoment): number;
  /** After each epoch, with the monitored figure turned so that smaller is better. */
  epochEnd?(figure: number): void;
  /** What a checkpoint keeps. */
  state(): Json;
}

/** A learning-rate schedule: plain options and a state per run. */
export interface Schedule {
  readonly name: string;
  readonly options: Json;
  /** Begins with the base rate, or where `state` was taken. */
  begin(base: number, state?: Json): RunningSchedule;
}
