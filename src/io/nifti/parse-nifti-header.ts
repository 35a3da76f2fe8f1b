import { VoxError } from "../../core/errors.js";
import { STORED_BYTES } from "../../kernels/decode/reference.js";
import { NIFTI_DTYPES, type NiftiHeader, REFUSED_NIFTI_DTYPES } from "./nifti-header.js";

/** Bytes that hold any NIfTI header. */
export const NIFTI_HEADER_BYTES = 540;

/** Which NIfTI, in which byte order, or undefined when the bytes are something else. */
export function detectNifti(bytes: Uint8Array): { readonly version: 1 | 2; readonly littleEndian: boolean } | undefined {
  if (bytes.length < 348) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const littleEndian of [true, false]) {
    const size = view.getInt32(0, littleEndian);
    if (size === 348 && magicAt(bytes, 344, "n+1")) return { version: 1, littleEndian };
    if (size === 540 && magicAt(bytes, 4, "n+2")) return { version: 2, littleEndian };
  }
  return undefined;
}

/**
 * The header at the start of a `.nii` file (already decompressed).
 *
 * @throws `ERR_FORMAT` when the bytes are not single-file NIfTI; `ERR_TRUNCATED` when the header is cut; `ERR_HEADER` for dimensions, data types or
 * offsets that no such file can have
 * @source NIfTI-1.1 nifti1.h; NIfTI-2 nifti2.h
 */
export function parseNiftiHeader(bytes: Uint8Array, path: string): NiftiHeader {
  const kind = detectNifti(bytes);
  if (!kind) throw notNifti(bytes, path);
  const { version, littleEndian } = kind;
  if (version === 2 && bytes.length < NIFTI_HEADER_BYTES) {
    throw new VoxError(`the NIfTI-2 header must have ${NIFTI_HEADER_BYTES} bytes, got ${bytes.length}`, { code: "ERR_TRUNCATED", where: path });
  }
  const fields = version === 1 ? readVersion1(bytes, littleEndian) : readVersion2(bytes, littleEndian, path);
  return {
    version,
    littleEndian,
    ...fields,
    dtype: checkedDtype(fields.datatype, path),
    ...checkedLayout(fields.dim, fields.voxOffset, version, path),
  };
}

type Fields = Omit<NiftiHeader, "version" | "littleEndian" | "dtype">;

function readVersion1(bytes: Uint8Array, littleEndian: boolean): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const int16 = (at: number): number => view.getInt16(at, littleEndian);
  const float = (at: number): number => view.getFloat32(at, littleEndian);
  const floats = (at: number, count: number): number[] => Array.from({ length: count }, (_, n) => float(at + 4 * n));
  return {
    dim: Array.from({ length: 8 }, (_, n) => int16(40 + 2 * n)),
    datatype: int16(70),
    voxOffset: float(108),
    sclSlope: float(112),
    sclInter: float(116),
    dimInfo: bytes[39]!,
    xyztUnits: bytes[123]!,
    pixdim: floats(76, 8),
    qformCode: int16(252),
    sformCode: int16(254),
    quaternion: [float(256), float(260), float(264)],
    qoffset: [float(268), float(272), float(276)],
    srow: floats(280, 12),
    description: text(bytes.subarray(148, 228)),
  };
}

function readVersion2(bytes: Uint8Array, littleEndian: boolean, path: string): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const int32 = (at: number): number => view.getInt32(at, littleEndian);
  const int64 = (at: number): number => {
    const value = Number(view.getBigInt64(at, littleEndian));
    if (!Number.isSafeInteger(value)) throw new VoxError(`sizes must be below 2^53, got ${value}`, { code: "ERR_HEADER", where: path });
    return value;
  };
  const double = (at: number): number => view.getFloat64(at, littleEndian);
  const doubles = (at: number, count: number): number[] => Array.from({ length: count }, (_, n) => double(at + 8 * n));
  return {
    dim: Array.from({ length: 8 }, (_, n) => int64(16 + 8 * n)),
    datatype: view.getInt16(12, littleEndian),
    voxOffset: int64(168),
    sclSlope: double(176),
    sclInter: double(184),
    dimInfo: bytes[524]!,
    xyztUnits: int32(500),
    pixdim: doubles(104, 8),
    qformCode: int32(344),
    sformCode: int32(348),
    quaternion: [double(352), double(360), double(368)],
    qoffset: [double(376), double(384), double(392)],
    srow: doubles(400, 12),
    description: text(bytes.subarray(240, 320)),
  };
}

function checkedDtype(datatype: number, path: string): NiftiHeader["dtype"] {
  const dtype = NIFTI_DTYPES[datatype];
  if (dtype) return dtype;
  const name = REFUSED_NIFTI_DTYPES[datatype];
  throw new VoxError(
    `datatype must be one real number per voxel (${Object.values(NIFTI_DTYPES).join(", ")}), got ${name ? `${name} (code ${datatype})` : `code ${datatype}`}`,
    {
      code: "ERR_HEADER",
      where: path,
    },
  );
}

/** Checks everything that decides how many bytes the voxels take. */
function checkedLayout(dim: readonly number[], voxOffset: number, version: 1 | 2, path: string): { dim: readonly number[] } {
  const refuse = (sentence: string): never => {
    throw new VoxError(sentence, { code: "ERR_HEADER", where: path });
  };
  const rank = dim[0]!;
  if (rank < 2 || rank > 7) refuse(`dim[0] (number of axes) must be 2 to 7, got ${rank}`);
  let bytes = 1;
  for (let axis = 1; axis <= rank; axis++) {
    if (dim[axis]! < 1) refuse(`dim[${axis}] must be at least 1, got ${dim[axis]}`);
    bytes *= dim[axis]!;
  }
  // One axis beyond space may be the channels: the 4th (time series, modalities) or, with one time point, the 5th (vectors).
  const beyond = dim.slice(4, rank + 1).filter((extent) => extent > 1);
  if (beyond.length > 1 || dim.slice(6, rank + 1).some((extent) => extent > 1)) {
    refuse(`at most one of dim[4] and dim[5], and nothing beyond, may be above 1 (channels), got ${dim.slice(1, rank + 1).join("x")}`);
  }
  if (!Number.isSafeInteger(bytes * 8)) refuse(`dim must describe less than 2^50 voxels, got ${dim.slice(1, rank + 1).join("x")}`);
  const least = version === 1 ? 352 : 544;
  if (!Number.isSafeInteger(voxOffset) || voxOffset < least) refuse(`vox_offset must be a whole number of at least ${least}, got ${voxOffset}`);
  return { dim };
}

function notNifti(bytes: Uint8Array, path: string): VoxError {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sizes = bytes.length >= 348 ? [view.getInt32(0, true), view.getInt32(0, false)] : [];
  if (sizes.includes(348) && magicAt(bytes, 344, "ni1")) {
    return new VoxError("the file must hold header and voxels (.nii), got the header of a .hdr/.img pair; convert the pair to one file", {
      code: "ERR_FORMAT",
      where: path,
    });
  }
  if (sizes.includes(348))
    return new VoxError(`the file must have the NIfTI magic "n+1", got ${JSON.stringify(text(bytes.subarray(344, 348)))} (Analyze 7.5?)`, {
      code: "ERR_FORMAT",
      where: path,
    });
  if (bytes.length < 348) {
    return new VoxError(`the file must be NIfTI-1 or NIfTI-2, which takes at least 348 bytes, got ${bytes.length} bytes`, {
      code: "ERR_FORMAT",
      where: path,
    });
  }
  return new VoxError(`the file must be NIfTI-1 or NIfTI-2, got first bytes ${Buffer.from(bytes.subarray(0, 8)).toString("hex")}`, {
    code: "ERR_FORMAT",
    where: path,
  });
}

function magicAt(bytes: Uint8Array, at: number, magic: string): boolean {
  return [...magic].every((letter, n) => bytes[at + n] === letter.charCodeAt(0)) && bytes[at + magic.length] === 0;
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString("latin1");
}

/** Bytes of all voxels. */
export function niftiVoxelBytes({ dim, dtype }: NiftiHeader): number {
  return dim.slice(1, dim[0]! + 1).reduce((product, extent) => product * extent, STORED_BYTES[dtype]);
}
