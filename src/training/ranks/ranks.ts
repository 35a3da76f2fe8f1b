import type { Json } from "../../core/json.js";

/**
 * The processes that train one network together, each on its own share of the cases. `gather` and `sum` are
 * collective: all ranks call the same ones in the same order, and each call waits for all.
 */
export interface Ranks {
  /** Number of this process, from 0. Rank 0 writes the run. */
  readonly rank: number;
  readonly size: number;
  /** The values of all ranks, in their order. Waits for all without keeping a processor busy. */
  gather<T extends Json>(value: T): Promise<readonly T[]>;
  /** Replaces the values by their sums over the ranks, the same bits on each. Comes right after a `gather`, when no rank is far behind. */
  sum(values: Float32Array): Promise<void>;
  /** Begins a training: until it is left, the end of this process is the end of all. */
  enter(): void;
  /** The training is over on this rank. With an error that the others do not have, all ranks end at once, because they would wait for this one for ever. */
  leave(error?: unknown): void;
}
