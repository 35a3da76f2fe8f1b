import type { Block } from "./block.js";
import type { SourceGrid } from "./geometry.js";
import type { HistoryEntry } from "./sample.js";
import type { Shape5, Triple } from "./shape.js";

/** What a batch remembers of each of its samples. */
export interface BatchPart {
  readonly id: string;
  readonly epoch: number;
  readonly patch?: number;
  readonly origin?: Triple;
  readonly history: readonly HistoryEntry[];
  /** Of whole cases: the grid of the file, on which a prediction is written. */
  readonly source?: SourceGrid;
}

/** Stacked samples. */
export interface Batch {
  /** float32 `[batch, depth, height, width, channels]`. */
  readonly image: Block<"float32"> & { readonly shape: Shape5 };
  /** Label indices `[batch, depth, height, width, 1]`, or one-hot with one channel per class. */
  readonly label?: Block<"uint8" | "uint16" | "float32"> & { readonly shape: Shape5 };
  readonly parts: readonly BatchPart[];
}
