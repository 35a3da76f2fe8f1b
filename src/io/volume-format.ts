import type { CaseReading } from "../core/case.js";
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
  readonly encoding: VoxelEncoding;
  /** The file does not tell the size of its voxels: pictures rarely do. */
  readonly isUnscaled?: boolean;
  /** What stored label values mean, where that differs from the classes. */
  readonly labels?: Readonly<Record<string, number>>;
}

/** Where the voxels of a file are, and what their bytes mean; plain data. */
export interface VoxelEncoding {
  readonly compressed: boolean;
  /** First byte of the voxels, counted behind the decompression where there is one. */
  readonly voxelOffset: number;
  readonly plan: DecodePlan;
  /** The file of the voxels, where it is not the file of the header. */
  readonly dataPath?: string;
  /** Where compressed bytes begin in that file, and how they are wrapped; default: gzip from the first byte on. */
  readonly stream?: CompressedStream;
  /** Which axis of the stored voxels counts the channels, from the fastest one; default 3, the slowest. */
  readonly channelAxis?: 0 | 1 | 2 | 3;
  /** Bands of color become one channel: by brightness, or because they must all be equal. */
  readonly merge?: "brightness" | "equal";
  /** The numbers of a palette count, and not its colors. */
  readonly keepsIndices?: boolean;
  /** A gray image is repeated for so many channels. */
  readonly repeat?: number;
}

export interface CompressedStream {
  readonly start: number;
  readonly wrap: "gzip" | "zlib";
}

/** How a file is to be understood. */
export interface ReadHeaderOptions extends Omit<CaseReading, "labels"> {
  /** A label map keeps the numbers of a palette, and must be stored without loss. Default "image". */
  readonly role?: "image" | "label";
  /** Channels that the data set declares: color images of equal bands count as gray for one channel, gray ones are repeated for three. */
  readonly channels?: number;
}

export interface WriteOptions {
  /** `label`: the smallest unsigned integer type, always 3D. `float`: float32, 4D when there is more than one channel. `int16`: CT values, rounded and clamped. */
  readonly kind: "label" | "float" | "int16";
}

/** One file format; axis order, orientation and spacing are converted here and nowhere else. */
export interface VolumeFormat {
  readonly name: string;
  readonly extensions: readonly string[];
  /** Whether the voxels of an uncompressed file lie one after the other, so that parts can be read. */
  readonly isPlain?: boolean;
  /** Whether the format is one for pictures: of pixels, without a place in the body. */
  readonly isPlanar?: boolean;
  /** Whether the (decompressed) first bytes of a file are of this format. */
  matches(firstBytes: Uint8Array): boolean;
  readHeader(path: string, options?: ReadHeaderOptions): Promise<VolumeHeader>;
  /** All files that a volume lies in, where these are more than the one that is named. */
  files?(path: string): Promise<readonly string[]>;
  /** Decodes, scales, casts and turns all voxels into the target; synchronous, for worker threads. */
  read(header: VolumeHeader, target: DecodeTarget, plan: DecodePlan, isStopped?: () => boolean): DecodeReport;
  write?(path: string, data: VolumeData, shape: Shape4, grid: SourceGrid, options: WriteOptions): Promise<void>;
}

/** Canonical voxels to write. */
export type VolumeData = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;
