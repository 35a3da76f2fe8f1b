import { requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { elementCount, formatShape, type Shape4 } from "../core/shape.js";
import { formatNamed } from "./formats.js";
import { sourceLayout } from "./source-layout.js";
import type { VolumeHeader } from "./volume-format.js";

export interface ReadVolumeOptions {
  /** What NaN and infinite voxels do: `fail` names their number and first place, `replace` sets them to the smallest finite value of the file. */
  readonly nonFinite?: "fail" | "replace";
  /** Where this file's channels go in the target: from `first` on, of `of` channels in all; default: the file's channels are all. */
  readonly channels?: { readonly first: number; readonly of: number };
  /** Asked after each piece of the file, a few milliseconds of work; true ends the reading with `ERR_STOPPED`. */
  readonly isStopped?: () => boolean;
}

/**
 * Reads all voxels of an image file into `target`: value = slope * stored + intercept, as float32, in canonical orientation, in one pass.
 * Synchronous, for worker threads; `header` comes from `readHeader`.
 *
 * @shape target (D, H, W, C)
 * @returns the number of voxels that were replaced
 * @throws `ERR_OPTION`, `ERR_READ`, `ERR_TRUNCATED`, `ERR_CHECKSUM`, `ERR_FORMAT` with the file's name; `ERR_VALUES` for NaN or infinite voxels;
 * `ERR_SHAPE` when the
 * target has another length
 * @example
 * const header = await readHeader(path);
 * const voxels = new Float32Array(elementCount(header.shape));
 * readVolume(header, voxels);
 */
export function readVolume(
  header: VolumeHeader,
  target: Float32Array,
  { nonFinite = "fail", channels, isStopped, ...unknown }: ReadVolumeOptions = {},
): number {
  requireKnownOptions("readVolume", unknown, ["nonFinite", "channels", "isStopped"]);
  requireOption(nonFinite === "fail" || nonFinite === "replace", "readVolume", "nonFinite", '"fail" or "replace"', nonFinite);
  const first = channels?.first ?? 0;
  const of = channels?.of ?? header.shape[3];
  requireOption(
    first >= 0 && first + header.shape[3] <= of,
    "readVolume",
    "channels",
    `room for the ${header.shape[3]} channels of ${header.path}`,
    channels,
  );
  const shape: Shape4 = [header.shape[0], header.shape[1], header.shape[2], of];
  requireLength(target, shape, header.path);
  const { plan } = header.encoding;
  const layout = sourceLayout(header.source, of);
  const placed = { ...plan, strides: layout.strides, offset: layout.offset + first };
  const report = formatNamed(header.format).read(header, target, placed, isStopped);
  if (report.nonFinite === 0) return 0;
  if (nonFinite === "fail") {
    const { i, j, k, c } = fileIndex(report.firstNonFinite, plan.shape);
    const channel = plan.shape[3] > 1 ? ` channel ${c}` : "";
    throw new VoxError(
      `voxels must be finite, got ${report.nonFinite} NaN or infinite of ${elementCount(plan.shape)}, the first at i=${i} j=${j} k=${k}${channel}; nonFinite: "replace" loads them as the smallest finite value`,
      { code: "ERR_VALUES", where: header.path },
    );
  }
  replaceNonFinite(target, first, header.shape[3], of);
  return report.nonFinite;
}

export function requireLength(target: { readonly length: number }, shape: Shape4, path: string): void {
  if (target.length === elementCount(shape)) return;
  throw new VoxError(`the target must have ${elementCount(shape)} elements for ${formatShape(shape)}, got ${target.length}`, {
    code: "ERR_SHAPE",
    where: path,
  });
}

export function fileIndex(index: number, [ni, nj, nk]: readonly number[]): { i: number; j: number; k: number; c: number } {
  const row = Math.floor(index / ni!);
  return { i: index % ni!, j: row % nj!, k: Math.floor(row / nj!) % nk!, c: Math.floor(row / nj! / nk!) };
}

function replaceNonFinite(target: Float32Array, first: number, count: number, of: number): void {
  for (let c = first; c < first + count; c++) {
    let min = Number.POSITIVE_INFINITY;
    for (let n = c; n < target.length; n += of) if (Number.isFinite(target[n]!) && target[n]! < min) min = target[n]!;
    const background = Number.isFinite(min) ? min : 0;
    for (let n = c; n < target.length; n += of) if (!Number.isFinite(target[n]!)) target[n] = background;
  }
}
