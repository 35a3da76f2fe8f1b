import { closeSync, openSync, readSync } from "node:fs";
import type { DtypeArrays } from "../core/dtype.js";
import { isVoxError, VoxError } from "../core/errors.js";
import type { Geometry } from "../core/geometry.js";
import { elementCount, formatShape, type Shape4, type Triple } from "../core/shape.js";
import type { VoxelSource } from "../core/voxel-source.js";
import { decodeVoxels } from "../kernels/decode/decode-voxels.js";
import { type DecodePlan, DecodeReport, STORED_BYTES } from "../kernels/decode/reference.js";
import { tooShort } from "./each-gunzipped-piece.js";
import { formatNamed } from "./formats.js";
import { readError } from "./read-error.js";
import { sourceLayout } from "./source-layout.js";
import type { VolumeHeader } from "./volume-format.js";

export type FileDtype = "float32" | "uint8" | "uint16";

export interface FileVolumeOptions {
  /** As for `readVolume`; a "replaced" voxel becomes the smallest finite one of the file. Images only. Default "fail". */
  readonly nonFinite?: "fail" | "replace";
  /** Number of classes that label values must be below; absent: what fits the type. */
  readonly classes?: number;
}

/** Rows of a plane are read in one piece, with what lies between them, when at least this share of it is wanted. */
const WORTH_READING = 1 / 4;
/** Bytes of voxels that one step of a scan holds. */
const SCAN_BYTES = 16 * 1024 ** 2;

/** Whether regions of a file can be read without the rest of it. */
export function canReadRegions({ format, encoding, shape, labels }: VolumeHeader): boolean {
  const isInOrder = shape[3] === 1 || (encoding.channelAxis ?? 3) === 3;
  return formatNamed(format).isPlain === true && !encoding.compressed && isInOrder && labels === undefined;
}

/**
 * Uncompressed files of one case as a source of which a crop reads its own rows only: for cases that are larger than memory. Holds no voxels; regions are
 * decoded, scaled and turned to canonical orientation as `readVolume` does, with the same values.
 */
export class FileVolume<D extends FileDtype = FileDtype> implements VoxelSource<D> {
  readonly shape: Shape4;
  readonly geometry: Geometry;
  readonly byteLength: number;
  private known: readonly number[] | undefined;

  /** `headers` are one file for all channels, or one for each. */
  constructor(
    private readonly headers: readonly VolumeHeader[],
    readonly dtype: D,
    private readonly options: FileVolumeOptions = {},
  ) {
    const first = headers[0]!;
    this.shape = [first.shape[0], first.shape[1], first.shape[2], headers.reduce((sum, { shape }) => sum + shape[3], 0)];
    this.geometry = first.geometry;
    this.byteLength = elementCount(this.shape) * (dtype === "float32" ? 4 : dtype === "uint8" ? 1 : 2);
  }

  /** Smallest finite voxel of each channel: what lies outside the case in crops. The first call reads the whole file, slab by slab. */
  get minimum(): readonly number[] {
    if (!this.known) {
      const smallest = new Array<number>(this.shape[3]).fill(Number.POSITIVE_INFINITY);
      const { length } = smallest;
      this.eachSlab((voxels) => {
        for (let i = 0; i < voxels.length; i++) {
          const c = i % length;
          if (voxels[i]! < smallest[c]! && Number.isFinite(voxels[i]!)) smallest[c] = voxels[i]!;
        }
      }, true);
      this.known = smallest.map((value) => (Number.isFinite(value) ? value : 0));
    }
    return this.known;
  }

  retain(): this {
    return this;
  }

  release(): void {}

  /**
   * Reads the box that starts at `start` into `target`, C order.
   *
   * @throws `ERR_SHAPE` when the box is not inside the file or the target has another size; `ERR_READ`, `ERR_TRUNCATED`; `ERR_VALUES` and `ERR_LABEL` for
   * voxels of the box
   */
  readRegion(start: Triple, size: Triple, target: DtypeArrays[D]): void {
    this.readRaw(start, size, target);
    if (target instanceof Float32Array && this.options.nonFinite === "replace") this.replaceNonFinite(target);
  }

  /** Calls `visit` with one slab after the other, each of some slices, and the index of its first voxel; `isRaw` leaves NaN as they are, where they may be. */
  eachSlab(visit: (voxels: DtypeArrays[D], first: number) => void, isRaw = false): void {
    const [depth, height, width, channels] = this.shape;
    const slice = height * width * channels;
    const slices = Math.max(1, Math.min(depth, Math.floor(SCAN_BYTES / (slice * (this.byteLength / elementCount(this.shape))))));
    const make = { float32: Float32Array, uint8: Uint8Array, uint16: Uint16Array }[this.dtype] as unknown as new (length: number) => DtypeArrays[D];
    for (let z = 0; z < depth; z += slices) {
      const size: Triple = [Math.min(slices, depth - z), height, width];
      const voxels = new make(size[0] * slice);
      if (isRaw) this.readRaw([z, 0, 0], size, voxels);
      else this.readRegion([z, 0, 0], size, voxels);
      visit(voxels, z * slice);
    }
  }

  private readRaw(start: Triple, size: Triple, target: DtypeArrays[D]): void {
    const isInside = start.every((first, axis) => first >= 0 && size[axis]! >= 1 && first + size[axis]! <= this.shape[axis]!);
    if (!isInside || target.length !== elementCount(size) * this.shape[3]) {
      throw new VoxError(
        `a region must lie inside ${formatShape(this.shape)} and fit its target, got ${formatShape(size)} at ${start.join(",")} for ${target.length} elements`,
        { code: "ERR_SHAPE", where: this.headers[0]!.path },
      );
    }
    let channel = 0;
    for (const header of this.headers) {
      const report = readFileBox(header, start, size, target as Float32Array, { first: channel, of: this.shape[3] });
      channel += header.shape[3];
      this.check(report, header, start, size);
    }
  }

  /** NaN and infinite voxels become the smallest of their channel. */
  private replaceNonFinite(voxels: Float32Array): void {
    for (let i = 0; i < voxels.length; i++) if (!Number.isFinite(voxels[i]!)) voxels[i] = this.minimum[i % this.shape[3]]!;
  }

  private check(report: DecodeReport, { path }: VolumeHeader, start: Triple, size: Triple): void {
    const place = `in the box of ${formatShape(size)} at ${start.join(",")}`;
    if (this.dtype === "float32") {
      if (report.nonFinite === 0 || this.options.nonFinite === "replace") return;
      throw new VoxError(
        `voxels must be finite, got ${report.nonFinite} NaN or infinite ${place}; nonFinite: "replace" loads them as the smallest finite value`,
        { code: "ERR_VALUES", where: path },
      );
    }
    const { classes } = this.options;
    const top = classes === undefined ? (this.dtype === "uint8" ? 255 : 65535) : classes - 1;
    const wrong = [...report.oddValues, ...report.labels().filter((value) => value > top)];
    if (wrong.length === 0) return;
    throw new VoxError(`labels must be integers from 0 to ${top}, got also ${wrong.slice(0, 20).join(", ")} ${place}`, {
      code: "ERR_LABEL",
      where: path,
    });
  }
}

/** Reads a canonical box of one file into its channels of the target. */
function readFileBox(
  { path: headerPath, source, encoding, shape }: VolumeHeader,
  start: Triple,
  size: Triple,
  target: Float32Array,
  channels: { readonly first: number; readonly of: number },
): DecodeReport {
  const path = encoding.dataPath ?? headerPath;
  // Canonical axes are [z, y, x]; the file's are (i, j, k), some of them turned around.
  const from: [number, number, number] = [0, 0, 0];
  const box: [number, number, number] = [1, 1, 1];
  source.axes.forEach(({ axis, flipped }, canonical) => {
    const first = start[2 - canonical]!;
    const extent = size[2 - canonical]!;
    box[axis] = extent;
    from[axis] = flipped ? source.shape[axis] - first - extent : first;
  });
  const layout = sourceLayout({ shape: box, axes: source.axes }, channels.of);
  const plan: DecodePlan = { ...encoding.plan, shape: [...box, shape[3]], strides: layout.strides, offset: layout.offset + channels.first };
  const report = new DecodeReport();
  const bytes = STORED_BYTES[encoding.plan.dtype];
  const [ni, nj, nk] = source.shape;
  const row = box[0] * bytes;
  // From the first wanted element of a plane to its last.
  const span = ((box[1] - 1) * ni + box[0]) * bytes;
  const isWhole = row * box[1] >= WORTH_READING * span;
  const staged = Buffer.allocUnsafeSlow(isWhole ? span : row);
  const plane = box[0] === ni ? staged : Buffer.allocUnsafeSlow(row * box[1]);
  let voxel = 0;
  try {
    const file = openSync(path, "r");
    try {
      for (let c = 0; c < shape[3]; c++) {
        for (let k = from[2]; k < from[2] + box[2]; k++) {
          const at = encoding.voxelOffset + (((c * nk + k) * nj + from[1]) * ni + from[0]) * bytes;
          if (isWhole) {
            readFully(file, staged, at, path);
            if (plane !== staged) for (let j = 0; j < box[1]; j++) staged.copy(plane, j * row, j * ni * bytes, j * ni * bytes + row);
          } else {
            for (let j = 0; j < box[1]; j++) {
              readFully(file, staged, at + j * ni * bytes, path);
              staged.copy(plane, j * row);
            }
          }
          decodeVoxels(plan, plane, voxel, target, report);
          voxel += box[0] * box[1];
        }
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw isVoxError(error) ? error : readError(path, error);
  }
  return report;
}

function readFully(file: number, into: Buffer, at: number, path: string): void {
  for (let filled = 0; filled < into.length; ) {
    const count = readSync(file, into, filled, into.length - filled, at + filled);
    if (count === 0) throw tooShort(path, at + into.length, at + filled);
    filled += count;
  }
}
