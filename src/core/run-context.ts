import type { SlabPool } from "./slab-pool.js";

/** Runs heavy work on another thread by task name. */
export interface TaskRunner {
  /** Threads that can work at once. */
  readonly concurrency: number;
  /**
   * Resolves with the task's result. Aborting `signal` raises the task's shared stop flag and settles only when the thread has really let go of the
   * memory that it was given. `bytes` says how much memory the task goes through, for those who watch how long it is silent.
   */
  run(task: string, payload: unknown, options?: { readonly signal?: AbortSignal; readonly bytes?: number }): Promise<unknown>;
}

/** What one run of a graph gives to its stages. */
export interface RunContext {
  /** Seed of everything random in the run. */
  readonly seed: number;
  /** Augmentation and shuffling are identities outside training; validation draws its crops from epoch 0 every time. */
  readonly mode: "training" | "validation" | "prediction";
  readonly pool: SlabPool;
  readonly tasks: TaskRunner;
  /** What a stage does with a sample that fails for good. */
  readonly onError: "fail" | "skip";
  /** Most samples that may fail in a run that skips them; one more ends it. Default: no limit. */
  readonly skipBudget?: number;
}
