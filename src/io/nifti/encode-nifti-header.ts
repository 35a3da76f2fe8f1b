import type { Affine, SourceGrid } from "../../core/geometry.js";
import { spacingOf } from "../../core/geometry.js";
import { STORED_BYTES, type StoredDtype } from "../../kernels/decode/reference.js";
import { NIFTI_DTYPES } from "./nifti-header.js";

/** What of a source file's header is kept for files that are written on its grid; everything else belongs to the source's voxels. */
export interface KeptNiftiHeader {
  readonly version: 1 | 2;
  readonly qformCode: number;
  readonly sformCode: number;
  readonly pixdim: readonly number[];
  readonly quaternion: readonly number[];
  readonly qoffset: readonly number[];
  readonly srow: readonly number[];
  readonly xyztUnits: number;
  readonly dimInfo: number;
}

/** NIfTI units code: millimeters. */
const UNITS_MM = 2;
/** NIfTI form code: aligned to something. */
const ALIGNED = 2;
const INT16_MAX = 32767;

/** A header with this affine and nothing else known: sform only, as nibabel writes new files. */
export function freshNiftiHeader(affine: Affine): KeptNiftiHeader {
  const [z, y, x] = spacingOf(affine);
  return {
    version: 1,
    qformCode: 0,
    sformCode: ALIGNED,
    pixdim: [1, x, y, z, 1, 1, 1, 1],
    quaternion: [0, 0, 0],
    qoffset: [0, 0, 0],
    srow: affine.slice(0, 12),
    xyztUnits: UNITS_MM,
    dimInfo: 0,
  };
}

/**
 * The header bytes, little-endian, up to where the voxels start; NIfTI-2 when the source was, or when an extent is beyond NIfTI-1.
 *
 * @source NIfTI-1.1 nifti1.h; NIfTI-2 nifti2.h
 */
export function encodeNiftiHeader(kept: KeptNiftiHeader, grid: SourceGrid, channels: number, dtype: StoredDtype): Uint8Array {
  const extents = channels > 1 ? [...grid.shape, channels] : grid.shape.slice(0, grid.dimensions);
  const dim = [extents.length, ...extents, ...Array<number>(7 - extents.length).fill(1)];
  const datatype = Number(Object.entries(NIFTI_DTYPES).find(([, name]) => name === dtype)![0]);
  return kept.version === 2 || extents.some((extent) => extent > INT16_MAX)
    ? encodeVersion2(kept, dim, datatype, dtype)
    : encodeVersion1(kept, dim, datatype, dtype);
}

function encodeVersion1(kept: KeptNiftiHeader, dim: readonly number[], datatype: number, dtype: StoredDtype): Uint8Array {
  const bytes = new Uint8Array(352);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, true);
  bytes[38] = "r".charCodeAt(0);
  bytes[39] = kept.dimInfo;
  for (const [n, extent] of dim.entries()) view.setInt16(40 + 2 * n, extent, true);
  view.setInt16(70, datatype, true);
  view.setInt16(72, 8 * STORED_BYTES[dtype], true);
  for (const [n, size] of kept.pixdim.entries()) view.setFloat32(76 + 4 * n, size, true);
  view.setFloat32(108, bytes.length, true);
  view.setFloat32(112, 1, true);
  bytes[123] = kept.xyztUnits;
  writeText(bytes, 148, DESCRIPTION);
  view.setInt16(252, kept.qformCode, true);
  view.setInt16(254, kept.sformCode, true);
  for (const [n, value] of [...kept.quaternion, ...kept.qoffset, ...kept.srow].entries()) view.setFloat32(256 + 4 * n, value, true);
  writeText(bytes, 344, "n+1");
  return bytes;
}

function encodeVersion2(kept: KeptNiftiHeader, dim: readonly number[], datatype: number, dtype: StoredDtype): Uint8Array {
  const bytes = new Uint8Array(544);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 540, true);
  bytes.set([0x6e, 0x2b, 0x32, 0, 0x0d, 0x0a, 0x1a, 0x0a], 4);
  view.setInt16(12, datatype, true);
  view.setInt16(14, 8 * STORED_BYTES[dtype], true);
  for (const [n, extent] of dim.entries()) view.setBigInt64(16 + 8 * n, BigInt(extent), true);
  for (const [n, size] of kept.pixdim.entries()) view.setFloat64(104 + 8 * n, size, true);
  view.setBigInt64(168, BigInt(bytes.length), true);
  view.setFloat64(176, 1, true);
  writeText(bytes, 240, DESCRIPTION);
  view.setInt32(344, kept.qformCode, true);
  view.setInt32(348, kept.sformCode, true);
  for (const [n, value] of [...kept.quaternion, ...kept.qoffset, ...kept.srow].entries()) view.setFloat64(352 + 8 * n, value, true);
  view.setInt32(500, kept.xyztUnits, true);
  bytes[524] = kept.dimInfo;
  return bytes;
}

const DESCRIPTION = "voxstream";

function writeText(bytes: Uint8Array, at: number, text: string): void {
  for (let n = 0; n < text.length; n++) bytes[at + n] = text.charCodeAt(n);
}
