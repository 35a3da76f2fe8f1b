import { DTYPE_BYTES } from "../../core/dtype.js";

/** Element types of stored volumes. */
export type StoredDtype = "int8" | "uint8" | "int16" | "uint16" | "int32" | "uint32" | "int64" | "uint64" | "float32" | "float64";

export const STORED_BYTES: { readonly [D in StoredDtype]: number } = {
  ...DTYPE_BYTES,
  int64: 8,
  uint64: 8,
};

/** What the bytes of a file are, and where its voxels go in the target. */
export interface DecodePlan {
  readonly dtype: StoredDtype;
  readonly littleEndian: boolean;
  /** Voxel value = slope * stored value + intercept. */
  readonly slope: number;
  readonly intercept: number;
  /** Extents in file order: i (fastest), j, k, channel. */
  readonly shape: readonly [number, number, number, number];
  /** Target element of the file's first voxel. */
  readonly offset: number;
  /** Steps in target elements along i, j, k, channel; negative where an axis is turned around. */
  readonly strides: readonly [number, number, number, number];
}

/** Float32 for images; unsigned integers for label maps, whose values are checked. */
export type DecodeTarget = Float32Array | Uint8Array | Uint16Array;

/** Values that a label map may not hold are remembered, so many at most. */
const MAX_ODD = 16;
/** Labels stored as scaled floats are rarely exact. */
const LABEL_TOLERANCE = 1e-4;

/** Places in `DecodeReport.found`. */
const NON_FINITE = 0;
const FIRST_NON_FINITE = 1;
const ODD = 2;
const FIRST_ODD = 3;
const ODD_COUNT = 4;
const ODD_VALUES = 5;

/** What decoding found; one report serves all pieces of a file. The numbers lie in arrays that the native kernel fills. */
export class DecodeReport {
  readonly found = new Float64Array(ODD_VALUES + MAX_ODD);
  /** `seen[v]` is 1 when label v occurs. */
  readonly seen = new Uint8Array(65536);

  /** NaN and infinite voxels, those beyond the float32 range included. */
  get nonFinite(): number {
    return this.found[NON_FINITE]!;
  }

  /** File index of the first of them. */
  get firstNonFinite(): number {
    return this.found[FIRST_NON_FINITE]!;
  }

  /** Label voxels that are no integer or do not fit the target. */
  get odd(): number {
    return this.found[ODD]!;
  }

  /** File index of the first of them. */
  get firstOdd(): number {
    return this.found[FIRST_ODD]!;
  }

  /** Their distinct values, as far as room was, in order of appearance. */
  get oddValues(): number[] {
    return [...this.found.subarray(ODD_VALUES, ODD_VALUES + this.found[ODD_COUNT]!)];
  }

  /** Whether there was no room for more. */
  get isOddFull(): boolean {
    return this.found[ODD_COUNT] === MAX_ODD;
  }

  /** Label values that occur, ascending. */
  labels(): number[] {
    const values: number[] = [];
    this.seen.forEach((there, value) => {
      if (there) values.push(value);
    });
    return values;
  }

  /** Gives the places that were found other numbers, where voxels are stored in another order than the plan's. */
  reindex(indexOf: (index: number) => number): void {
    this.found[FIRST_NON_FINITE] = indexOf(this.firstNonFinite);
    this.found[FIRST_ODD] = indexOf(this.firstOdd);
  }

  /** Takes over what was found in another part of the file, whose places get other numbers. */
  add(other: DecodeReport, indexOf: (index: number) => number): void {
    if (this.nonFinite === 0) this.found[FIRST_NON_FINITE] = indexOf(other.firstNonFinite);
    if (this.odd === 0) this.found[FIRST_ODD] = indexOf(other.firstOdd);
    const values = [...new Set([...this.oddValues, ...other.oddValues])].slice(0, MAX_ODD);
    this.found[NON_FINITE]! += other.nonFinite;
    this.found[ODD]! += other.odd;
    this.found[ODD_COUNT] = values.length;
    this.found.set(values, ODD_VALUES);
    for (let value = 0; value < this.seen.length; value++) this.seen[value]! |= other.seen[value]!;
  }

  addNonFinite(index: number): void {
    if (this.found[NON_FINITE]!++ === 0) this.found[FIRST_NON_FINITE] = index;
  }

  addOdd(value: number, index: number): void {
    if (this.found[ODD]!++ === 0) this.found[FIRST_ODD] = index;
    const values = this.oddValues;
    if (values.length < MAX_ODD && !values.includes(value)) this.found[ODD_VALUES + this.found[ODD_COUNT]!++] = value;
  }
}

/**
 * target[offset + i sᵢ + j sⱼ + k sₖ + c s_c] = slope * stored(i, j, k, c) + intercept, for the `bytes.length / size` voxels from file index `first` on.
 *
 * The arithmetic is in float64 and rounds once to the target.
 */
export function decodeVoxelsReference(plan: DecodePlan, bytes: Uint8Array, first: number, target: DecodeTarget, report: DecodeReport): void {
  const { slope, intercept, shape, strides, offset } = plan;
  const stored = storedValues(plan, bytes);
  const isImage = target instanceof Float32Array;
  const top = target instanceof Uint8Array ? 255 : 65535;
  const [ni, nj, nk] = shape;
  for (let n = 0; n < stored.length; ) {
    // One run along the file's fastest axis at a time.
    const index = first + n;
    const i = index % ni;
    const row = Math.floor(index / ni);
    const j = row % nj;
    const k = Math.floor(row / nj) % nk;
    const c = Math.floor(row / nj / nk);
    const run = Math.min(ni - i, stored.length - n);
    let at = offset + i * strides[0] + j * strides[1] + k * strides[2] + c * strides[3];
    for (let end = n + run; n < end; n++, at += strides[0]) {
      const value = slope * stored[n]! + intercept;
      if (isImage) {
        target[at] = value;
        if (!Number.isFinite(target[at]!)) report.addNonFinite(first + n);
        continue;
      }
      const label = Math.round(value);
      if (Math.abs(value - label) <= LABEL_TOLERANCE && label >= 0 && label <= top) {
        target[at] = label;
        report.seen[label] = 1;
      } else {
        target[at] = 0;
        report.addOdd(value, first + n);
      }
    }
  }
}

/** Stored values as float64; 64-bit integers beyond 2^53 round to the nearest. */
function storedValues({ dtype, littleEndian }: DecodePlan, bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = STORED_BYTES[dtype];
  const values = new Float64Array(Math.floor(bytes.byteLength / size));
  const read = READERS[dtype];
  for (let n = 0; n < values.length; n++) values[n] = read(view, n * size, littleEndian);
  return values;
}

const READERS: { readonly [D in StoredDtype]: (view: DataView, at: number, littleEndian: boolean) => number } = {
  int8: (view, at) => view.getInt8(at),
  uint8: (view, at) => view.getUint8(at),
  int16: (view, at, littleEndian) => view.getInt16(at, littleEndian),
  uint16: (view, at, littleEndian) => view.getUint16(at, littleEndian),
  int32: (view, at, littleEndian) => view.getInt32(at, littleEndian),
  uint32: (view, at, littleEndian) => view.getUint32(at, littleEndian),
  int64: (view, at, littleEndian) => Number(view.getBigInt64(at, littleEndian)),
  uint64: (view, at, littleEndian) => Number(view.getBigUint64(at, littleEndian)),
  float32: (view, at, littleEndian) => view.getFloat32(at, littleEndian),
  float64: (view, at, littleEndian) => view.getFloat64(at, littleEndian),
};
