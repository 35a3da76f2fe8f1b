import type { Geometry, SourceGrid } from "../core/geometry.js";
import type { Json } from "../core/json.js";
import type { HistoryEntry } from "../core/sample.js";
import type { Shape4 } from "../core/shape.js";
import type { VoxelEncoding } from "../kernels/voxel-encoding/voxel-encoding.js";

/** How one array of a case is stored. */
export interface ArrayRecord<D extends "float32" | "uint8" | "uint16" = "float32" | "uint8" | "uint16"> {
  readonly dtype: D;
  readonly shape: Shape4;
  readonly geometry: Geometry;
  /** How float32 voxels are kept in 16 bits; absent: as they are. */
  readonly encoding?: VoxelEncoding;
  /** Smallest voxel of each channel: what lies outside the case in crops. */
  readonly minimum: readonly number[];
  /** Of label maps: some voxels of every label above 0, as flat indices. */
  readonly points?: Readonly<Record<string, readonly number[]>>;
  /** Of label maps: the same for each connected component of a label. */
  readonly lesions?: Readonly<Record<string, readonly (readonly number[])[]>>;
}

/** The commit record of a case: written last, so a case without it does not exist. */
export interface CaseRecord {
  /** Case id, for people. */
  readonly id: string;
  /** The operators that made it, for people. */
  readonly made: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** Bytes of all chunks. */
  readonly bytes: number;
  readonly image: ArrayRecord<"float32">;
  readonly label?: ArrayRecord<"uint8" | "uint16">;
  readonly source?: SourceGrid;
  readonly history: readonly HistoryEntry[];
  readonly extra?: Readonly<Record<string, Json>>;
}

export type ArrayKind = "image" | "label";

/** The arrays of a case in the order in which they are stored. */
export function arraysOf(record: Pick<CaseRecord, "image" | "label">): readonly (readonly [ArrayKind, ArrayRecord])[] {
  return record.label
    ? [
        ["image", record.image],
        ["label", record.label],
      ]
    : [["image", record.image]];
}
