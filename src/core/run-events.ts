import type { Json } from "./json.js";

/** State of one stage of a running graph, sampled a few times a second; times are totals since the run began. */
export interface StageReport {
  readonly name: string;
  /** Names of the stages (or the trainer) that it feeds. */
  readonly to: readonly string[];
  readonly in: number;
  readonly out: number;
  readonly held: number;
  readonly maxHeld: number;
  readonly running: number;
  readonly skipped: number;
  readonly state: "busy" | "blocked" | "starved" | "done";
  readonly busyMs: number;
  readonly blockedMs: number;
  readonly starvedMs: number;
  /** Work time added up over parallel jobs. */
  readonly workMs: number;
  /** Voxels that came in and went out, in bytes; absent in events of before. */
  readonly bytesIn?: number;
  readonly bytesOut?: number;
  /** What it holds, by the mean size of its items; exact sums are those of the memory pool. */
  readonly bytesHeld?: number;
  /** Adjustable numbers: concurrency, capacity. */
  readonly knobs: Readonly<Record<string, number>>;
  /** What the stage counts of its own, such as cases that came from the cache. */
  readonly counters?: Readonly<Record<string, number>>;
}

/** What a running training can be told through `control.jsonl` in its folder. */
export type RunCommand = "pause" | "resume" | "stop" | "checkpoint" | "samples";

/** One line of `runs/<name>/control.jsonl`. */
export interface RunRequest {
  readonly t: number;
  /** Chosen by the sender; the answer repeats it. */
  readonly id: string;
  /** `t` of the start event of the session that is meant: a request never reaches the session that follows. */
  readonly session: number;
  readonly command: RunCommand;
}

/** One graphics card as `nvidia-smi` sees it; what it does not know is absent. */
export interface GpuReport {
  readonly name: string;
  /** Share of the time in which a kernel ran, 0..1. */
  readonly load?: number;
  readonly memoryBytes?: number;
  readonly memoryTotalBytes?: number;
  readonly celsius?: number;
  readonly watts?: number;
}

/** One line of `runs/<name>/events.jsonl`. `t` is milliseconds since 1970. */
export type RunEvent = { readonly t: number } & (
  | {
      readonly type: "start";
      readonly run: string;
      readonly seed: number;
      readonly engine: string;
      readonly epochs: number;
      readonly classes: readonly string[];
      readonly pid: number;
      readonly resumedAtStep?: number;
      /** Steps of an epoch, when the configuration fixes them. */
      readonly stepsPerEpoch?: number;
    }
  | {
      readonly type: "step";
      readonly step: number;
      readonly epoch: number;
      readonly loss: number;
      readonly metrics: Readonly<Record<string, number>>;
      readonly learningRate: number;
      /** Time that the trainer waited for this batch. */
      readonly waitMs: number;
      readonly stepMs: number;
      /** Of the whole training; absent while the length of an epoch is unknown. */
      readonly remainingSeconds?: number;
    }
  | {
      readonly type: "epoch";
      readonly epoch: number;
      readonly step: number;
      readonly loss: number;
      readonly metrics: Readonly<Record<string, number>>;
      readonly validationLoss?: number;
      readonly validationMetrics?: Readonly<Record<string, number>>;
      readonly learningRate: number;
      readonly seconds: number;
      readonly remainingSeconds: number;
      /** Share of the epoch's time spent waiting for batches, 0..1. */
      readonly waitShare: number;
    }
  | {
      readonly type: "stages";
      /** Which graph: the one that trains when absent. */
      readonly graph?: "training" | "validation" | "prediction";
      readonly stages: readonly StageReport[];
      readonly bytesInUse: number;
      readonly budget: number;
      readonly verdict: string;
    }
  /** Once per graph, before its first batch: how the memory budget is shared. */
  | { readonly type: "memory"; readonly graph: "training" | "validation"; readonly budget: number; readonly least: number; readonly text: string }
  | {
      readonly type: "preview";
      readonly path: string;
      readonly id: string;
      readonly epoch: number;
      /** NIfTI files of the same patch, relative to the run's folder. */
      readonly volumes?: { readonly image: string; readonly label: string; readonly prediction: string };
    }
  /** How whole validation cases were predicted after an epoch, on the network's grid; the label maps of some are kept. */
  | {
      readonly type: "cases";
      readonly epoch: number;
      readonly cases: readonly {
        readonly id: string;
        /** Of the classes that are there or were predicted. */
        readonly dice: Readonly<Record<string, number>>;
        /** NIfTI file of the label map, relative to the run's folder. */
        readonly path?: string;
      }[];
    }
  /** A request that was carried out; `step` is the last finished one. */
  | { readonly type: "control"; readonly command: RunCommand; readonly id: string; readonly step: number }
  /** Samples of the batch for `step`, as the trainer received them: a description, and the voxels beside it. */
  | { readonly type: "samples"; readonly path: string; readonly step: number; readonly epoch: number; readonly count: number }
  /** What process and machine of the training use, now and then. */
  | {
      readonly type: "system";
      /** Processor cores that the process kept busy since the last report. */
      readonly cores: number;
      readonly rssBytes: number;
      /** Threads of the process, where the system tells. */
      readonly threads?: number;
      /** Share of all cores of the machine that were busy, 0..1. */
      readonly machineLoad: number;
      readonly machineBytes: number;
      readonly machineTotalBytes: number;
      readonly gpus?: readonly GpuReport[];
    }
  | { readonly type: "checkpoint"; readonly kind: "latest" | "best"; readonly epoch: number; readonly step: number; readonly path: string }
  | { readonly type: "skip"; readonly id: string; readonly stage: string; readonly message: string; readonly stack?: string }
  | { readonly type: "warning"; readonly message: string }
  | { readonly type: "prediction"; readonly id: string; readonly path: string; readonly seconds: number }
  | { readonly type: "evaluation"; readonly path: string; readonly summary: Json }
  | { readonly type: "end"; readonly status: "completed" | "stopped" | "failed"; readonly message?: string }
);
