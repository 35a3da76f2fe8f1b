import type { StoredDtype } from "../../src/kernels/decode/reference.js";

export interface NiftiBytesOptions {
  readonly version?: 1 | 2;
  readonly littleEndian?: boolean;
  readonly dtype?: StoredDtype;
  /** Overrides the code that goes with `dtype`. */
  readonly datatype?: number;
  /** Extents, without `dim[0]`. */
  readonly shape: readonly number[];
  /** Overrides `dim`. */
  readonly dim?: readonly number[];
  /** Stored values in file order; default 0, 1, 2, ... modulo 120. */
  readonly values?: ArrayLike<number>;
  readonly slope?: number;
  readonly intercept?: number;
  readonly pixdim?: readonly number[];
  readonly qformCode?: number;
  readonly sformCode?: number;
  readonly quaternion?: readonly number[];
  readonly qoffset?: readonly number[];
  /** Rows of the sform. */
  readonly srow?: readonly number[];
  readonly voxOffset?: number;
  readonly units?: number;
  readonly magic?: string;
}

const CODES: Readonly<Record<StoredDtype, readonly [code: number, bytes: number]>> = {
  uint8: [2, 1],
  int16: [4, 2],
  int32: [8, 4],
  float32: [16, 4],
  float64: [64, 8],
  int8: [256, 1],
  uint16: [512, 2],
  uint32: [768, 4],
  int64: [1024, 8],
  uint64: [1280, 8],
};

/** A NIfTI file made by the offsets in the standard's tables, apart from the code under test. */
export function niftiBytes({
  version = 1,
  littleEndian = true,
  dtype = "int16",
  datatype = CODES[dtype][0],
  shape,
  dim = [shape.length, ...shape, ...Array<number>(7 - shape.length).fill(1)],
  values,
  slope = 0,
  intercept = 0,
  pixdim = [1, 1, 1, 1, 0, 0, 0, 0],
  qformCode = 0,
  sformCode = 1,
  quaternion = [0, 0, 0],
  qoffset = [0, 0, 0],
  srow = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
  voxOffset = version === 1 ? 352 : 544,
  units = 2,
  magic = version === 1 ? "n+1" : "n+2",
}: NiftiBytesOptions): Buffer {
  const size = CODES[dtype][1];
  const count = shape.reduce((product, extent) => product * extent, 1);
  const buffer = Buffer.alloc(voxOffset + count * size);
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const short = (at: number, value: number): void => view.setInt16(at, value, littleEndian);
  const int = (at: number, value: number): void => view.setInt32(at, value, littleEndian);
  const long = (at: number, value: number): void => view.setBigInt64(at, BigInt(value), littleEndian);
  const reals = (at: number, numbers: readonly number[]): void => {
    for (const [n, value] of numbers.entries()) {
      if (version === 1) view.setFloat32(at + 4 * n, value, littleEndian);
      else view.setFloat64(at + 8 * n, value, littleEndian);
    }
  };
  if (version === 1) {
    int(0, 348);
    for (const [n, extent] of dim.entries()) short(40 + 2 * n, extent);
    short(70, datatype);
    short(72, size * 8);
    reals(76, pixdim);
    reals(108, [voxOffset, slope, intercept]);
    buffer[123] = units;
    short(252, qformCode);
    short(254, sformCode);
    reals(256, [...quaternion, ...qoffset, ...srow]);
    buffer.write(magic, 344, "latin1");
  } else {
    int(0, 540);
    buffer.write(`${magic}\0\r\n\x1a\n`, 4, "latin1");
    short(12, datatype);
    short(14, size * 8);
    for (const [n, extent] of dim.entries()) long(16 + 8 * n, extent);
    reals(104, pixdim);
    long(168, voxOffset);
    reals(176, [slope, intercept]);
    int(344, qformCode);
    int(348, sformCode);
    reals(352, [...quaternion, ...qoffset, ...srow]);
    int(500, units);
  }
  for (let n = 0; n < count; n++) {
    const value = values ? values[n]! : n % 120;
    const at = voxOffset + n * size;
    if (dtype === "float32") view.setFloat32(at, value, littleEndian);
    else if (dtype === "float64") view.setFloat64(at, value, littleEndian);
    else if (dtype === "int64") view.setBigInt64(at, BigInt(value), littleEndian);
    else if (dtype === "uint64") view.setBigUint64(at, BigInt(value), littleEndian);
    else if (dtype === "int32") view.setInt32(at, value, littleEndian);
    else if (dtype === "uint32") view.setUint32(at, value, littleEndian);
    else if (dtype === "int16") view.setInt16(at, value, littleEndian);
    else if (dtype === "uint16") view.setUint16(at, value, littleEndian);
    else if (dtype === "int8") view.setInt8(at, value);
    else view.setUint8(at, value);
  }
  return buffer;
}
