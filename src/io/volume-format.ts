import type { Geometry, SourceGrid } from "../core/geometry.js";
import type { Shape4 } from "../core/shape.js";
import type { DecodePlan, DecodeReport, DecodeTarget, StoredDtype } from "../kernels/decode/reference.js";

/** What is known of a file before its voxels are read; plain data, so it can go to a worker. */
export interface VolumeHeader {
  readonly format: string;
  readonly path: string;
  /** Canonical `[depth, height, width, channels]`, as `readVolume` fills it. */
  readonly shape: Shape4;
  /** Element type in the file. */
  readonly dtype: StoredDtype;
  readonly geometry: Geometry;
  readonly source: SourceGrid;
  /** Bytes of the voxels in the file, uncompressed. */
  readonly storedBytes: number;
  /** What the format's reader needs to find and decode the voxels. */
  readonly encoding: { readonly compressed: boolean; readonly voxelOffset: number; readonly plan: DecodePlan };
}

export interface WriteOptions {
  /** `label`: the smallest unsigned integer type, always 3D. `float`: float32, 4D when there is more than one channel. `int16`: CT values, rounded and clamped. */
  readonly kind: "label" | "float" | "int16";
}

/** One file format; axis order, orientation and spacing are converted here and nowhere else. */
export interface VolumeFormat {
  readonly name: string;
  readonly extensions: readonly string[];
  /** Whether the (decompressed) first bytes of a file are of this format. */
  matches(firstBytes: Uint8Array): boolean;
  readHeader(path: string): Promise<VolumeHeader>;
  /** Decodes, scales, casts and turns all voxels into the target; synchronous, for worker threads. */
  read(header: VolumeHeader, target: DecodeTarget, plan: DecodePlan, isStopped?: () => boolean): DecodeReport;
  write?(path: string, data: VolumeData, shape: Shape4, grid: SourceGrid, options: WriteOptions): Promise<void>;
}

/** Canonical voxels to write. */
export type VolumeData = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;
