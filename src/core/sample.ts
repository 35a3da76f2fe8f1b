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

/** One image with an optional label map, at any stage. */
export interface Sample {
  /** The case id. */
  readonly id: string;
  readonly epoch: number;
  /** Number of the patch within its case and epoch; absent on whole cases. */
  readonly patch?: number;
  /** First voxel of the patch in the preprocessed case; absent on whole cases. */
  readonly origin?: Triple;
  /** Voxels on each side beyond the wanted patch, for `augment` to rotate into view and trim; absent when there are none. */
  readonly margin?: Triple;
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

/** `case_00003#2`: how messages and random keys name a sample. */
export function sampleName(sample: { readonly id: string; readonly patch?: number | undefined }): string {
  return sample.patch === undefined ? sample.id : `${sample.id}#${sample.patch}`;
}
