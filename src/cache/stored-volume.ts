import { DTYPE_BYTES, type DtypeArrays } from "../core/dtype.js";
import { VoxError } from "../core/errors.js";
import type { Geometry } from "../core/geometry.js";
import { elementCount, type Shape4, type Triple } from "../core/shape.js";
import type { VoxelSource } from "../core/voxel-source.js";
import { crc32 } from "../kernels/crc32/crc32.js";
import { CHECKSUM_BYTES } from "../kernels/pack-chunk/pack-chunk.js";
import { BOX_NUMBERS } from "../kernels/unpack-chunk/reference.js";
import { unpackChunk } from "../kernels/unpack-chunk/unpack-chunk.js";
import type { ArrayRecord } from "./case-record.js";
import { type ChunkGrid, chunkBox, chunkGrid, chunkNumber } from "./chunk-grid.js";
import { storedElementBytes } from "./stored-bytes.js";

type StoredDtype = "float32" | "uint8" | "uint16";

export interface StoredVolumeOptions<D extends StoredDtype> {
  readonly record: ArrayRecord<D>;
  /** Calls `use` with the bytes of a chunk and its checksum, which are gone when it returns. Returns whether the chunk is there. */
  readonly read: (chunk: number, use: (bytes: Uint8Array) => void) => boolean;
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
  /** The same for each connected component of a label. */
  readonly lesions: Readonly<Record<string, readonly (readonly number[])[]>> | undefined;
  readonly mend?: (signal?: AbortSignal) => Promise<void>;
  private readonly grid: ChunkGrid;
  private readonly elementBytes: number;

  constructor(private readonly options: StoredVolumeOptions<D>) {
    const { dtype, shape, geometry, minimum, points, lesions } = options.record;
    if (options.mend) this.mend = options.mend;
    this.dtype = dtype;
    this.shape = shape;
    this.geometry = geometry;
    this.minimum = minimum;
    this.points = points;
    this.lesions = lesions;
    this.byteLength = elementCount(shape) * DTYPE_BYTES[dtype];
    this.elementBytes = storedElementBytes(options.record);
    this.grid = chunkGrid(shape, this.elementBytes);
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
    const isInside = start.every((first, axis) => first >= 0 && size[axis]! >= 1 && first + size[axis]! <= shape[axis]!);
    if (!isInside || target.length !== size[0] * size[1] * size[2] * shape[3]) {
      throw new VoxError(
        `a region must lie inside ${shape.join("x")} and fit its target, got ${size.join("x")} at ${start.join(",")} for ${target.length} elements`,
        { code: "ERR_SHAPE", where: this.options.where },
      );
    }
    const channels = shape[3];
    const first = (axis: 0 | 1 | 2) => Math.floor(start[axis] / grid.chunk[axis]);
    const last = (axis: 0 | 1 | 2) => Math.floor((start[axis] + size[axis] - 1) / grid.chunk[axis]);
    const numbers = new Int32Array(BOX_NUMBERS);
    const outShape: Shape4 = [size[0], size[1], size[2], channels];
    for (let z = first(0); z <= last(0); z++) {
      for (let y = first(1); y <= last(1); y++) {
        for (let x = first(2); x <= last(2); x++) {
          const number = chunkNumber(grid, z, y, x);
          const box = chunkBox(grid, shape, number);
          for (const axis of [0, 1, 2] as const) {
            const from = Math.max(start[axis], box.start[axis]);
            numbers[axis] = box.size[axis];
            numbers[3 + axis] = from - box.start[axis];
            numbers[6 + axis] = from - start[axis];
            numbers[9 + axis] = Math.min(start[axis] + size[axis], box.start[axis] + box.size[axis]) - from;
          }
          this.useChunk(number, elementCount(box.size) * channels * this.elementBytes, (chunk) => {
            unpackChunk(chunk, numbers, target, outShape, this.options.record.encoding);
          });
        }
      }
    }
  }

  /** Hands on a chunk of `end` bytes and its checksum, which is compared at the first reading. */
  private useChunk(number: number, end: number, use: (chunk: Uint8Array) => void): void {
    const { read, checked, where } = this.options;
    const isThere = read(number, (bytes) => {
      // The length is looked at every time: another process may have changed the record, and nothing may be read beyond it.
      if (!checked.has(number) || bytes.byteLength !== end + CHECKSUM_BYTES) {
        if (!isIntact(bytes, end)) {
          throw new VoxError(
            `chunk ${number} must fit its length and checksum; \`voxstream cache verify\` removes damaged cases, and they are made again`,
            { code: "ERR_CHECKSUM", where },
          );
        }
        checked.add(number);
      }
      use(bytes);
    });
    if (!isThere) {
      throw new VoxError(`chunk ${number} must be there, but it was removed while the case was in use`, { code: "ERR_CACHE", where });
    }
  }
}

/** Whether a chunk of `end` bytes and its checksum fit each other. */
export function isIntact(bytes: Uint8Array, end: number): boolean {
  if (bytes.byteLength !== end + CHECKSUM_BYTES) return false;
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end, CHECKSUM_BYTES).getUint32(0, true);
  return crc32(bytes.subarray(0, end)) === stored;
}
