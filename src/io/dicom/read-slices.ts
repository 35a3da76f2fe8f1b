import { DTYPE_BYTES, type Dtype, type DtypeArrays, typedView } from "../../core/dtype.js";
import { VoxError } from "../../core/errors.js";
import { decodeVoxels } from "../../kernels/decode/decode-voxels.js";
import { type DecodePlan, DecodeReport, type DecodeTarget, STORED_BYTES, type StoredDtype } from "../../kernels/decode/reference.js";
import { type DecodedFrame, decodeFrame } from "./codecs/decode-frame.js";
import type { PixelFormat } from "./dicom-image.js";
import { encapsulatedFrames, type Fragment } from "./encapsulated-frames.js";
import { FileBytes } from "./file-bytes.js";
import { parseDicom, type StoredPixels } from "./parse-dicom.js";
import { TRANSFER_SYNTAXES } from "./transfer-syntaxes.js";

/** A file of slices; plain data, for worker threads. */
export interface SliceFile {
  readonly path: string;
  readonly syntax: string;
  readonly pixels: StoredPixels;
  readonly format: PixelFormat;
  /** Whether small values are bright ones (MONOCHROME1). */
  readonly isInverted: boolean;
}

/** A slice of a volume, in the order of the third axis. */
export interface StoredSlice {
  /** Index of its file. */
  readonly file: number;
  readonly frame: number;
  readonly slope: number;
  readonly intercept: number;
}

export interface StoredSlices {
  readonly files: readonly SliceFile[];
  readonly slices: readonly StoredSlice[];
  readonly padding: "minimum" | "keep";
}

const NOTHING: ReadonlySet<number> = new Set();

/**
 * Decodes, scales, casts and turns slice by slice into the target; holds one slice, compressed and not, and up to 16 MB of those that are decoded together.
 *
 * @throws `ERR_READ`, `ERR_TRUNCATED`, `ERR_FORMAT`, `ERR_STOPPED`
 */
export function readSlices(
  { files, slices, padding }: StoredSlices,
  target: DecodeTarget,
  plan: DecodePlan,
  isStopped?: () => boolean,
): DecodeReport {
  const report = new DecodeReport();
  const blanks =
    padding === "minimum" && target instanceof Float32Array && files.some(({ format }) => format.padding) ? new Blanks(target, plan) : undefined;
  const [ni, nj, nk] = plan.shape;
  const staged: { buffer?: Buffer } = {};
  const run = new SliceRun(plan, blanks ? 1 : SLICES_PER_RUN, target, report);
  const read = (bytes: FileBytes, file: SliceFile, from: number, to: number): void => {
    const fragments = file.pixels.length === undefined ? encapsulatedFrames(bytes, file.pixels.offset, file.format.frames) : undefined;
    for (let k = from; k < to; k++) {
      const { frame, slope, intercept } = slices[k]!;
      const stored = asStored(frameOf(bytes, file, frame, fragments?.[frame], staged), file);
      const scaling = scalingOf(file, slope, intercept);
      const planes = planesOf(stored, file, ni * nj);
      for (const [c, plane] of planes.entries())
        run.add(plane, { ...plan, dtype: stored.dtype, littleEndian: true, ...scaling }, (c * nk + k) * ni * nj);
      if (file.format.padding) blanks?.mark(valuesOf(planes[0]!, stored.dtype), file.format.padding, k);
      else blanks?.see(k);
      if (isStopped?.()) throw new VoxError("the reading was stopped", { code: "ERR_STOPPED", where: file.path });
    }
  };
  // Slices of one file that follow each other are read with one opening.
  for (let k = 0; k < slices.length; ) {
    let end = k + 1;
    while (end < slices.length && slices[end]!.file === slices[k]!.file) end++;
    const file = files[slices[k]!.file]!;
    const from = k;
    FileBytes.use(file.path, (bytes) =>
      read(TRANSFER_SYNTAXES[file.syntax]!.isDeflated ? parseDicom(bytes, { wanted: NOTHING }).bytes : bytes, file, from, end),
    );
    k = end;
  }
  run.flush();
  blanks?.fill();
  return report;
}

/** Slices that run across rows of the target are decoded together: enough of them to fill its cache lines, in so many bytes at most. */
const SLICES_PER_RUN = 16;
const MAX_RUN_BYTES = 16 * 1024 ** 2;

/** Slices that follow each other and mean the same, until they are decoded; where slices lie one behind the other in the target, each at once. */
class SliceRun {
  private readonly slices: number;
  private buffer: Buffer | undefined;
  private filled = 0;
  private first = 0;
  private plan: DecodePlan | undefined;

  constructor(
    { strides, shape, dtype }: DecodePlan,
    most: number,
    private readonly target: DecodeTarget,
    private readonly report: DecodeReport,
  ) {
    const [si, sj, sk] = strides.map(Math.abs) as [number, number, number];
    const fitting = Math.floor(MAX_RUN_BYTES / (shape[0] * shape[1] * STORED_BYTES[dtype]));
    this.slices = sk < si && sk < sj && shape[3] === 1 ? Math.max(1, Math.min(most, fitting)) : 1;
  }

  add(plane: Uint8Array, plan: DecodePlan, first: number): void {
    if (this.slices === 1) {
      decodeVoxels(plan, plane, first, this.target, this.report);
      return;
    }
    const { plan: own } = this;
    const isSame = own?.dtype === plan.dtype && own.slope === plan.slope && own.intercept === plan.intercept;
    if (!isSame || this.filled + plane.length > (this.buffer?.length ?? 0)) this.flush();
    // Slices of other depth than the first may not fit.
    if ((this.buffer?.length ?? 0) < plane.length) this.buffer = Buffer.allocUnsafeSlow(this.slices * plane.length);
    if (this.filled === 0) {
      this.plan = plan;
      this.first = first;
    }
    this.buffer!.set(plane, this.filled);
    this.filled += plane.length;
  }

  flush(): void {
    if (this.filled > 0) decodeVoxels(this.plan!, this.buffer!.subarray(0, this.filled), this.first, this.target, this.report);
    this.filled = 0;
  }
}

function frameOf(
  bytes: FileBytes,
  file: SliceFile,
  frame: number,
  fragments: readonly Fragment[] | undefined,
  staged: { buffer?: Buffer },
): DecodedFrame {
  const { format, pixels, path, syntax } = file;
  if (fragments) {
    const parts = fragments.map(({ offset, length }) => bytes.bytes(offset, length));
    return decodeFrame(parts.length === 1 ? parts[0]! : Buffer.concat(parts), syntax, format, path);
  }
  const sampleBytes = format.bitsAllocated >> 3;
  const length = format.rows * format.columns * format.samples * sampleBytes;
  // One allocation serves all slices.
  if (staged.buffer?.length !== length) staged.buffer = Buffer.allocUnsafeSlow(length);
  const { buffer } = staged;
  bytes.copyInto(buffer, pixels.offset + frame * length);
  if (!TRANSFER_SYNTAXES[syntax]!.isLittleEndian) {
    if (sampleBytes === 2 || (sampleBytes === 1 && pixels.isWords && length % 2 === 0)) buffer.swap16();
    else if (sampleBytes === 4) buffer.swap32();
    else if (sampleBytes === 8) buffer.swap64();
  }
  return { bytes: buffer, sampleBytes, isPlanar: format.isPlanar };
}

interface StoredFrame extends DecodedFrame {
  readonly dtype: StoredDtype;
}

const INTEGERS = { 1: ["uint8", "int8"], 2: ["uint16", "int16"], 4: ["uint32", "int32"] } as const;

/** The frame with its element type, and without what lies beside the stored bits. */
function asStored(frame: DecodedFrame, { pixels, format, path }: SliceFile): StoredFrame {
  if (pixels.element !== "integer") return { ...frame, dtype: pixels.element };
  const types = INTEGERS[frame.sampleBytes as keyof typeof INTEGERS];
  if (!types) throw new VoxError(`integer pixels must have 8, 16 or 32 bits, got ${8 * frame.sampleBytes}`, { code: "ERR_HEADER", where: path });
  const dtype = types[format.isSigned ? 1 : 0];
  const shift = format.highBit + 1 - format.bitsStored;
  const bits = 8 * frame.sampleBytes;
  if (format.bitsStored < bits) {
    const values = valuesOf(frame.bytes, dtype);
    // Up to the sign, and down again over whatever else was there.
    const up = 32 - format.bitsStored - shift;
    const down = 32 - format.bitsStored;
    if (format.isSigned) for (let n = 0; n < values.length; n++) values[n] = (values[n]! << up) >> down;
    else for (let n = 0; n < values.length; n++) values[n] = (values[n]! << up) >>> down;
  }
  return { ...frame, dtype };
}

function valuesOf(bytes: Uint8Array, dtype: StoredDtype): DtypeArrays[Dtype] {
  // Integers of 64 bits are refused above.
  const type = dtype as Dtype;
  const aligned = bytes.byteOffset % DTYPE_BYTES[type] === 0 ? bytes : new Uint8Array(bytes);
  return typedView(type, aligned.buffer, aligned.byteOffset, aligned.length / DTYPE_BYTES[type]);
}

/** The largest stored value for the smallest, and so on, where small values are bright. */
function scalingOf({ isInverted, format }: SliceFile, slope: number, intercept: number): { readonly slope: number; readonly intercept: number } {
  if (!isInverted) return { slope, intercept };
  const ends = format.isSigned ? -1 : 2 ** format.bitsStored - 1;
  return { slope: -slope, intercept: slope * ends + intercept };
}

/** One plane of samples for each channel. */
function planesOf({ bytes, sampleBytes, isPlanar, dtype }: StoredFrame, { format, syntax }: SliceFile, pixels: number): readonly Uint8Array[] {
  if (format.samples === 1) return [bytes];
  const length = pixels * sampleBytes;
  const planes = [0, 1, 2].map((c) => bytes.subarray(c * length, (c + 1) * length));
  const values = isPlanar ? planes.map((plane) => valuesOf(plane, dtype)) : separated(valuesOf(bytes, dtype), pixels);
  // The decoder of JPEG has done so already, and JPEG 2000 names its own transforms.
  if (format.photometric === "YBR_FULL" && TRANSFER_SYNTAXES[syntax]!.codec !== "jpeg") toRgb(values, 2 ** (format.bitsStored - 1));
  return values.map((plane) => new Uint8Array(plane.buffer, plane.byteOffset, plane.byteLength));
}

type Values = ReturnType<typeof valuesOf>;

function separated(values: Values, pixels: number): Values[] {
  return [0, 1, 2].map((c) => {
    // The constructor of an element type makes that type.
    const plane = new (values.constructor as new (length: number) => Values)(pixels);
    for (let n = 0; n < pixels; n++) plane[n] = values[3 * n + c]!;
    return plane;
  });
}

/** PS3.3, C.7.6.3.1.2: luminance and two differences, centered at half of the range. */
function toRgb(planes: readonly Values[], half: number): void {
  const [first, second, third] = planes as readonly [Values, Values, Values];
  const most = 2 * half - 1;
  const clamped = (value: number): number => Math.max(0, Math.min(most, Math.round(value)));
  for (let n = 0; n < first.length; n++) {
    const y = first[n]!;
    const b = second[n]! - half;
    const r = third[n]! - half;
    first[n] = clamped(y + 1.402 * r);
    second[n] = clamped(y - 0.344136 * b - 0.714136 * r);
    third[n] = clamped(y + 1.772 * b);
  }
}

/** Voxels that stand for no measurement; they get the smallest value of the others, which is known when all slices are there. */
class Blanks {
  private lowest = Number.POSITIVE_INFINITY;
  private isNeeded = false;

  constructor(
    private readonly target: Float32Array,
    private readonly plan: DecodePlan,
  ) {}

  mark(stored: Values, [low, high]: readonly [number, number], k: number): void {
    let n = 0;
    this.eachOf(k, (at) => {
      const value = stored[n++]!;
      if (value >= low && value <= high) {
        this.target[at] = Number.NaN;
        this.isNeeded = true;
      } else if (this.target[at]! < this.lowest) this.lowest = this.target[at]!;
    });
  }

  /** A slice without such voxels. */
  see(k: number): void {
    this.eachOf(k, (at) => {
      if (this.target[at]! < this.lowest) this.lowest = this.target[at]!;
    });
  }

  fill(): void {
    if (!this.isNeeded) return;
    const value = Number.isFinite(this.lowest) ? this.lowest : 0;
    for (let k = 0; k < this.plan.shape[2]; k++) {
      this.eachOf(k, (at) => {
        if (Number.isNaN(this.target[at]!)) this.target[at] = value;
      });
    }
  }

  /** Target elements of a slice, in file order. */
  private eachOf(k: number, visit: (at: number) => void): void {
    const { shape, strides, offset } = this.plan;
    for (let j = 0; j < shape[1]; j++) {
      let at = offset + j * strides[1] + k * strides[2];
      for (let i = 0; i < shape[0]; i++, at += strides[0]) visit(at);
    }
  }
}
