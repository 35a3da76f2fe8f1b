import type { SourceGrid } from "../../core/geometry.js";
import type { Shape4 } from "../../core/shape.js";
import type { StoredDtype } from "../../kernels/decode/reference.js";
import { placedHeader } from "../placed-header.js";
import { readStoredVoxels } from "../read-stored-voxels.js";
import { sourceLayout } from "../source-layout.js";
import type { VolumeData, VolumeFormat, VolumeHeader, WriteOptions } from "../volume-format.js";
import { writeAtomically } from "../write-atomically.js";
import { encodeNiftiHeader, freshNiftiHeader, type KeptNiftiHeader } from "./encode-nifti-header.js";
import { niftiAffine } from "./nifti-affine.js";
import type { NiftiHeader } from "./nifti-header.js";
import { detectNifti, niftiVoxelBytes } from "./parse-nifti-header.js";
import { readNiftiFile } from "./read-nifti-header.js";

/**
 * NIfTI-1 and NIfTI-2 in one file, plain or gzip-compressed, in either byte order.
 *
 * @source NIfTI-1.1 nifti1.h; NIfTI-2 nifti2.h; where files break the rules, what nibabel 5 does
 */
export const niftiFormat: VolumeFormat = {
  name: "nifti",
  extensions: [".nii.gz", ".nii"],
  isPlain: true,
  matches: (firstBytes) => detectNifti(firstBytes) !== undefined,
  readHeader,
  read: readStoredVoxels,
  write,
};

async function readHeader(path: string): Promise<VolumeHeader> {
  const { header, compressed } = await readNiftiFile(path);
  const { dim } = header;
  const dimensions = dim[0] === 2 ? 2 : 3;
  const fileShape = [dim[1]!, dim[2]!, dimensions === 2 ? 1 : dim[3]!] as const;
  const channels = Math.max(dim[0]! >= 4 ? dim[4]! : 1, dim[0]! >= 5 ? dim[5]! : 1);
  const affine = niftiAffine(header, path);
  return placedHeader({
    grid: { format: "nifti", path, shape: fileShape, dimensions, affine, header: keptHeader(header) },
    channels,
    dtype: header.dtype,
    storedBytes: niftiVoxelBytes(header),
    littleEndian: header.littleEndian,
    ...scaling(header),
    encoding: { compressed, voxelOffset: header.voxOffset },
  });
}

/** Slope 0 and values that are not finite mean no scaling. */
function scaling({ sclSlope, sclInter }: NiftiHeader): { readonly slope: number; readonly intercept: number } {
  if (sclSlope === 0 || !Number.isFinite(sclSlope)) return { slope: 1, intercept: 0 };
  return { slope: sclSlope, intercept: Number.isFinite(sclInter) ? sclInter : 0 };
}

function keptHeader(header: NiftiHeader): { readonly [K in keyof KeptNiftiHeader]: KeptNiftiHeader[K] } {
  const finite = (values: readonly number[]): readonly number[] => values.map((value) => (Number.isFinite(value) ? value : 0));
  return {
    version: header.version,
    qformCode: header.qformCode,
    sformCode: header.sformCode,
    pixdim: finite(header.pixdim),
    quaternion: finite(header.quaternion),
    qoffset: finite(header.qoffset),
    srow: finite(header.srow),
    xyztUnits: header.xyztUnits,
    dimInfo: header.dimInfo,
  };
}

async function write(path: string, data: VolumeData, shape: Shape4, grid: SourceGrid, { kind }: WriteOptions): Promise<void> {
  const channels = shape[3];
  const dtype = kind === "float" ? "float32" : kind === "int16" ? "int16" : smallestUnsigned(data);
  const kept = grid.format === "nifti" && grid.header !== null ? (grid.header as unknown as KeptNiftiHeader) : freshNiftiHeader(grid.affine);
  const pieces = function* (): Generator<Uint8Array> {
    yield encodeNiftiHeader(kept, grid, channels, dtype);
    yield* sliceBytes(data, grid, channels, dtype);
  };
  await writeAtomically(path, pieces(), { gzip: path.endsWith(".gz") });
}

function smallestUnsigned(data: VolumeData): "uint8" | "uint16" | "uint32" {
  let max = 0;
  for (let n = 0; n < data.length; n++) if (data[n]! > max) max = data[n]!;
  return max <= 255 ? "uint8" : max <= 65535 ? "uint16" : "uint32";
}

const ENCODED = { int16: Int16Array, uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array } as const;

/** The voxels in file order, one file slice at a time. */
function* sliceBytes(data: VolumeData, grid: SourceGrid, channels: number, dtype: StoredDtype & keyof typeof ENCODED): Generator<Uint8Array> {
  const { shape, offset, strides } = sourceLayout(grid, channels);
  const [ni, nj, nk, nc] = shape;
  for (let c = 0; c < nc; c++) {
    for (let k = 0; k < nk; k++) {
      const slice = new ENCODED[dtype](ni * nj);
      for (let j = 0, n = 0; j < nj; j++) {
        let at = offset + j * strides[1] + k * strides[2] + c * strides[3];
        for (let i = 0; i < ni; i++, at += strides[0]) slice[n++] = dtype === "int16" ? clampInt16(data[at]!) : data[at]!;
      }
      yield new Uint8Array(slice.buffer);
    }
  }
}

function clampInt16(value: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(value)));
}
