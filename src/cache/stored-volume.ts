import { crc32 } from "node:zlib";
import { DTYPE_BYTES, type DtypeArrays, typedView } from "../core/dtype.js";
import { VoxError } from "../core/errors.js";
import type { Geometry } from "../core/geometry.js";
import { elementCount, type Shape4, type Triple } from "../core/shape.js";
import type { VoxelSource } from "../core/voxel-source.js";
import type { ArrayRecord } from "./case-record.js";
import { type ChunkGrid, chunkBox, chunkGrid, chunkNumber } from "./chunk-grid.js";
import { copyRows } from "./copy-rows.js";

type StoredDtype = "float32" | "uint8" | "uint16";

/** Bytes of the checksum behind the voxels of a chunk. */
export const CHECKSUM_BYTES = 4;

export interface StoredVolumeOptions<D extends StoredDtype> {
  readonly record: ArrayRecord<D>;
  /** Bytes of a chunk with its checksum; valid until the next call. */
  readonly read: (chunk: number) => Uint8Array | undefined;
  /** Chunks that this process has already checked. */
  readonly checked: Set<number>;
  /** Makes the case again. */
  readonly mend?: (signal?: AbortSignal) => Promise<void>;
  /** For messages. */
  readonly where: string;
}

/** An array in the cache: a crop reads only the chunks that it touches. Owns no memory, so it may be kept for as long as the cache is open. */
export class StoredVolume<D extends StoredDtype = StoredDtype> implements VoxelSource<D> {
  readonly dtype: D;
  readonly shape: Shape4;
  readonly geometry: Geometry;
  readonly byteLength: number;
  readonly minimum: readonly number[];
  /** Some voxels of every label, as flat indices, for patches around foreground. */
  readonly points: Readonly<Record<string, readonly number[]>> | undefined;
  readonly mend?: (signal?: AbortSignal) => Promise<void>;
  private readonly grid: ChunkGrid;

  constructor(private readonly options: StoredVolumeOptions<D>) {
    const { dtype, shape, geometry, minimum, points } = options.record;
    if (options.mend) this.mend = options.mend;
    this.dtype = dtype;
    this.shape = shape;
    this.geometry = geometry;
    this.minimum = minimum;
    this.points = points;
    this.byteLength = elementCount(shape) * DTYPE_BYTES[dtype];
    this.grid = chunkGrid(shape, DTYPE_BYTES[dtype]);
  }

  retain(): this {
    return this;
  }

  release(): void {}

  /**
   * Copies the box that starts at `start` into `target`, C order.
   *
   * @throws `ERR_SHAPE` when the box is not inside the volume or the target has another size; `ERR_CHECKSUM` when a chunk is damaged; `ERR_CACHE` when one is gone
   */
  readRegion(start: Triple, size: Triple, target: DtypeArrays[D]): void {
    const { shape, grid } = this;
    const channels = shape[3];
    const isInside = start.every((first, axis) => first >= 0 && size[axis]! >= 1 && first + size[axis]! <= shape[axis]!);
    if (!isInside || target.length !== size[0] * size[1] * size[2] * channels) {
      throw new VoxError(
        `a region must lie inside ${shape.join("x")} and fit its target, got ${size.join("x")} at ${start.join(",")} for ${target.length} elements`,
        { code: "ERR_SHAPE", where: this.options.where },
      );
    }
    const targetShape: Shape4 = [...size, channels];
    const first = (axis: 0 | 1 | 2) => Math.floor(start[axis] / grid.chunk[axis]);
    const last = (axis: 0 | 1 | 2) => Math.floor((start[axis] + size[axis] - 1) / grid.chunk[axis]);
    for (let z = first(0); z <= last(0); z++) {
      for (let y = first(1); y <= last(1); y++) {
        for (let x = first(2); x <= last(2); x++) {
          const number = chunkNumber(grid, z, y, x);
          const box = chunkBox(grid, shape, number);
          const from = (axis: 0 | 1 | 2) => Math.max(start[axis], box.start[axis]);
          const extent = (axis: 0 | 1 | 2) => Math.min(start[axis] + size[axis], box.start[axis] + box.size[axis]) - from(axis);
          const at: Triple = [from(0), from(1), from(2)];
          copyRows(
            this.chunk(number, elementCount(box.size) * channels),
            [...box.size, channels],
            [at[0] - box.start[0], at[1] - box.start[1], at[2] - box.start[2]],
            // Stored arrays are of these three types only.
            target as Float32Array | Uint8Array | Uint16Array,
            targetShape,
            [at[0] - start[0], at[1] - start[1], at[2] - start[2]],
            [extent(0), extent(1), extent(2)],
          );
        }
      }
    }
  }

  /** Elements of one chunk, checked at its first reading. Valid until the next call. */
  private chunk(number: number, length: number): Float32Array | Uint8Array | Uint16Array {
    const { read, checked, where } = this.options;
    const bytes = read(number);
    if (!bytes) {
      throw new VoxError(`chunk ${number} must be there, but it was removed while the case was in use`, { code: "ERR_CACHE", where });
    }
    const end = length * DTYPE_BYTES[this.dtype];
    // The length is looked at every time: another process may have changed the record, and nothing may be read beyond it.
    if (!checked.has(number) || bytes.byteLength !== end + CHECKSUM_BYTES) {
      if (!isIntact(bytes, end)) {
        throw new VoxError(
          `chunk ${number} must fit its length and checksum; \`voxstream cache verify\` removes damaged cases, and they are made again`,
          {
            code: "ERR_CHECKSUM",
            where,
          },
        );
      }
      checked.add(number);
    }
    // Records may begin at any byte; typed arrays may not.
    const aligned = bytes.byteOffset % DTYPE_BYTES[this.dtype] === 0 ? bytes : bytes.slice();
    return typedView(this.dtype, aligned.buffer, aligned.byteOffset, length) as Float32Array | Uint8Array | Uint16Array;
  }
}

/** Whether a chunk of `end` bytes and its checksum fit each other. */
export function isIntact(bytes: Uint8Array, end: number): boolean {
  if (bytes.byteLength !== end + CHECKSUM_BYTES) return false;
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end, CHECKSUM_BYTES).getUint32(0, true);
  return crc32(bytes.subarray(0, end)) === stored;
}
