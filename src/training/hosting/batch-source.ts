import type { BatchPart } from "../../core/batch.js";
import type { RunContext } from "../../core/run-context.js";
import type { Shape5 } from "../../core/shape.js";
import type { Position } from "../../streams/index.js";
import type { QuarantinedCase } from "./quarantine.js";

/** A batch in the trainer's hands. Its arrays are shared memory of the graph's pool until `release`. */
export interface TrainingBatch {
  readonly image: { readonly data: Float32Array; readonly shape: Shape5 };
  readonly label?: { readonly data: Uint8Array | Uint16Array | Float32Array; readonly shape: Shape5 };
  readonly parts: readonly BatchPart[];
  /** All samples of a batch are of one epoch. */
  readonly epoch: number;
  /** Resuming here delivers exactly the batches after this one. */
  readonly position: Position;
  /** Gives the memory back, and with it leave to send one more batch. */
  release(): void;
}

export interface BatchSourceOptions {
  readonly mode: Extract<RunContext["mode"], "training" | "validation">;
  /** Ids of the cases to run over. */
  readonly ids: readonly string[];
  readonly epochs: number;
  readonly from?: Position;
  /** Cases that failed before the checkpoint that is resumed. */
  readonly quarantined?: readonly QuarantinedCase[];
  /** Whole cases instead of what the graph cuts of them, one per batch. */
  readonly whole?: boolean;
  /** Of a training: the cases that will validate, so that memory too small for them is refused now and not after the first epoch. */
  readonly validationIds?: readonly string[];
}

/** One run of a graph, as the trainer sees it. */
export interface BatchSource {
  /** The next batch, or undefined at the end. Rejects with the graph's error. */
  next(): Promise<TrainingBatch | undefined>;
  /** Time that the last `next` waited. */
  readonly waitMs: number;
  /** Stops the graph; resolves when no task runs and all memory is back. Batches still held are void from here on. */
  close(): Promise<void>;
}

/** Runs graphs for a trainer: in this thread, or in one of its own. */
export interface GraphHost {
  open(options: BatchSourceOptions): Promise<BatchSource>;
  /** Ends everything; resolves when no thread is left. */
  close(): Promise<void>;
}
