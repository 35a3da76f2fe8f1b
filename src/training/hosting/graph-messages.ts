import type { BatchPart } from "../../core/batch.js";
import type { WireError } from "../../core/errors.js";
import type { StageReport } from "../../core/run-events.js";
import type { Shape5 } from "../../core/shape.js";
import type { Position } from "../../streams/index.js";
import type { BatchSourceOptions } from "./batch-source.js";

/** A batch between threads: views on shared memory, and the number under which the memory is given back. */
export interface WireBatch {
  readonly number: number;
  readonly image: { readonly data: Float32Array; readonly shape: Shape5 };
  readonly label?: { readonly data: Uint8Array | Uint16Array | Float32Array; readonly shape: Shape5 };
  readonly parts: readonly BatchPart[];
  readonly epoch: number;
  readonly position: Position;
}

export interface SkipNote {
  readonly id: string;
  /** Whether a whole case has failed, so that it is left out from here on. */
  readonly isQuarantined: boolean;
  readonly stage: string;
  readonly message: string;
  /** Of a sample that failed, where its error came from. */
  readonly stack?: string;
}

export interface StageNote {
  readonly graph: BatchSourceOptions["mode"];
  readonly stages: readonly StageReport[];
  readonly bytesInUse: number;
  readonly budget: number;
}

/** How a graph shares its memory budget. */
export interface MemoryNote {
  readonly graph: BatchSourceOptions["mode"];
  readonly budget: number;
  readonly least: number;
  readonly text: string;
}

/** What a session tells its trainer. */
export interface SessionListener {
  batch(batch: WireBatch): void;
  end(): void;
  error(error: unknown): void;
  skip(note: SkipNote): void;
  stages(note: StageNote): void;
  memory(note: MemoryNote): void;
}

/** From the trainer's thread to the graph thread. */
export type GraphRequest =
  | { readonly type: "open"; readonly session: number; readonly options: BatchSourceOptions }
  | { readonly type: "release"; readonly session: number; readonly batch: number }
  | { readonly type: "close"; readonly session: number }
  | { readonly type: "quit" };

/** From the graph thread to the trainer's. */
export type GraphMessages =
  | { readonly type: "ready" }
  | { readonly type: "opened"; readonly session: number }
  | { readonly type: "batch"; readonly session: number; readonly batch: WireBatch }
  | { readonly type: "end"; readonly session: number }
  | { readonly type: "error"; readonly session: number | undefined; readonly error: WireError }
  | { readonly type: "skip"; readonly session: number; readonly note: SkipNote }
  | { readonly type: "stages"; readonly session: number; readonly note: StageNote }
  | { readonly type: "memory"; readonly session: number; readonly note: MemoryNote }
  | { readonly type: "closed"; readonly session: number }
  | { readonly type: "bye" };

/** What the graph thread is started with. */
export interface GraphThreadData {
  readonly configPath: string;
  readonly settings: GraphSettings;
}

/** How a host runs its graphs; plain data. */
export interface GraphSettings {
  readonly seed: number;
  readonly memoryBytes: number;
  readonly workers: number;
  /** Whether fewer worker threads do, where the memory does not hold so many: nobody asked for this number. */
  readonly fewerWorkers?: boolean;
  readonly onError: "fail" | "skip";
  readonly skipBudget?: number;
  readonly autotune?: boolean;
  /** Whether a second graph validates, for which part of the memory is kept back. */
  readonly validates: boolean;
}
