import { type FileHandle, open } from "node:fs/promises";
import { isVoxError, VoxError } from "../../core/errors.js";
import { gunzipPrefix, isGzip } from "../is-gzip.js";
import { readError } from "../read-error.js";
import { requireRoom } from "../require-room.js";
import type { NiftiHeader } from "./nifti-header.js";
import { NIFTI_HEADER_BYTES, niftiVoxelBytes, parseNiftiHeader } from "./parse-nifti-header.js";

/** A gzip header may carry names and comments before the data; the NIfTI header follows within this many bytes in any sane file. */
const PREFIX_BYTES = 4096;

export interface NiftiFile {
  readonly header: NiftiHeader;
  readonly compressed: boolean;
}

/**
 * The header of a `.nii` or `.nii.gz` file; reads a few kilobytes and makes sure that the file can hold the voxels that it announces.
 *
 * @throws `ERR_READ`, `ERR_FORMAT`, `ERR_HEADER`, `ERR_TRUNCATED`
 * @example
 * const { header } = await readNiftiFile("data/kits19/case_00000/imaging.nii.gz");
 */
export async function readNiftiFile(path: string): Promise<NiftiFile> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const info = await file.stat();
    if (info.isDirectory()) throw new VoxError("a volume must be a file, got a folder", { code: "ERR_READ", where: path });
    const prefix = await readPrefix(file, PREFIX_BYTES);
    const compressed = isGzip(prefix);
    const header = parseNiftiHeader(compressed ? gunzipPrefix(path, prefix) : prefix.subarray(0, NIFTI_HEADER_BYTES), path);
    const shape = header.dim.slice(1, header.dim[0]! + 1);
    const needed = header.voxOffset + niftiVoxelBytes(header);
    await requireRoom({ path, needed, shape, dtype: header.dtype, fileBytes: info.size, ...(compressed && { stream: { start: 0, wrap: "gzip" } }) });
    return { header, compressed };
  } catch (error) {
    throw isVoxError(error) ? error : readError(path, error);
  } finally {
    await file?.close();
  }
}

/**
 * The header alone, field by field, as it stands in the file: for looking at what a scanner or a converter wrote.
 *
 * @throws `ERR_READ`, `ERR_FORMAT`, `ERR_HEADER`, `ERR_TRUNCATED`
 * @example
 * const { sformCode, qformCode, sclSlope } = await readNiftiHeader("data/kits19/case_00000/imaging.nii.gz");
 */
export async function readNiftiHeader(path: string): Promise<NiftiHeader> {
  return (await readNiftiFile(path)).header;
}

async function readPrefix(file: FileHandle, bytes: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
