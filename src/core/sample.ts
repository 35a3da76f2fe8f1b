import type { Geometry, SourceGrid } from "./geometry.js";
import type { Json } from "./json.js";
import type { Shape4, Triple } from "./shape.js";
import type { VoxelSource } from "./voxel-source.js";

/** One operator's mark on a sample: enough to explain it in words and to run it again. */
export interface HistoryEntry {
  readonly operator: string;
  readonly params: Json;
  /** For operators that move voxels: the grid in front of them, so that a prediction finds its way back. */
  readonly before?: { readonly shape: Shape4; readonly geometry: Geometry };
}

/** Voxels on either side of a patch: in front of it and behind it, per axis. */
export type Margin = readonly [before: Triple, after: Triple];

/** One image with an optional label map, at any stage. */
export interface Sample {
  /** The case id. */
  readonly id: string;
  readonly epoch: number;
  /** Number of the patch within its case and epoch; absent on whole cases. */
  readonly patch?: number;
  /** First voxel of the patch in the preprocessed case; absent on whole cases. */
  readonly origin?: Triple;
  /** Number of the augmented copy, where `augment` makes several of each sample; absent otherwise. */
  readonly cycle?: number;
  /** Voxels beyond the wanted patch, for `augment` to rotate into view and trim; absent when there are none. */
  readonly margin?: Margin;
  /** float32, one channel per modality. */
  readonly image: VoxelSource<"float32">;
  /** uint8, or uint16 above 255 labels; one channel. Absent in prediction. */
  readonly label?: VoxelSource<"uint8" | "uint16">;
  /** The grid of the image's file. */
  readonly source?: SourceGrid;
  readonly history: readonly HistoryEntry[];
  /** What users' operators want to carry along. */
  readonly extra?: Readonly<Record<string, Json>>;
}

/** `case_00003#2`, or `case_00003#2~1` for the second augmented copy: how messages name a sample. */
export function sampleName(sample: { readonly id: string; readonly patch?: number | undefined; readonly cycle?: number | undefined }): string {
  const { id, patch, cycle } = sample;
  return `${id}${patch === undefined ? "" : `#${patch}`}${cycle === undefined ? "" : `~${cycle}`}`;
}
