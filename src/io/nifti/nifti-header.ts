import type { StoredDtype } from "../../kernels/decode/reference.js";

/** The fields of a NIfTI-1 or NIfTI-2 header that matter for voxels and their place, names as in the standard. */
export interface NiftiHeader {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  readonly dim: readonly number[];
  readonly datatype: number;
  readonly dtype: StoredDtype;
  readonly voxOffset: number;
  /** As stored; `scaling` gives what applies. */
  readonly sclSlope: number;
  readonly sclInter: number;
  readonly dimInfo: number;
  readonly xyztUnits: number;
  /** `pixdim[0]` is qfac. */
  readonly pixdim: readonly number[];
  readonly qformCode: number;
  readonly sformCode: number;
  /** b, c, d. */
  readonly quaternion: readonly [number, number, number];
  readonly qoffset: readonly [number, number, number];
  /** The three rows of the sform. */
  readonly srow: readonly number[];
  readonly description: string;
}

/** Datatype codes of the standard that hold one real number per voxel. */
export const NIFTI_DTYPES: Readonly<Record<number, StoredDtype>> = {
  2: "uint8",
  4: "int16",
  8: "int32",
  16: "float32",
  64: "float64",
  256: "int8",
  512: "uint16",
  768: "uint32",
  1024: "int64",
  1280: "uint64",
};

/** Datatype codes that are refused, by name. */
export const REFUSED_NIFTI_DTYPES: Readonly<Record<number, string>> = {
  0: "unknown",
  1: "binary (1 bit)",
  32: "complex64",
  128: "RGB24",
  1536: "float128",
  1792: "complex128",
  2048: "complex256",
  2304: "RGBA32",
};
