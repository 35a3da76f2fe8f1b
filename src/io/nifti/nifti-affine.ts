import { VoxError } from "../../core/errors.js";
import type { Affine } from "../../core/geometry.js";
import type { NiftiHeader } from "./nifti-header.js";

/** Rounding of float32 quaternions: below this, 1 - b² - c² - d² counts as 0. */
const QUATERNION_TOLERANCE = 3 * 2 ** -23;

/**
 * (i, j, k, 1) → RAS+ mm: the sform when its code is > 0, else the qform when its code is > 0, else what nibabel falls back to: `pixdim` on the
 * diagonal, x mirrored (the radiological order of Analyze files), the center of the image at the origin.
 *
 * @throws `ERR_HEADER` when the affine that applies is not invertible or not finite
 * @source NIfTI-1.1 nifti1.h, METHOD 2 and 3; nibabel 5 `get_best_affine`, `get_base_affine`
 */
export function niftiAffine(header: NiftiHeader, path: string): Affine {
  const [name, affine] =
    header.sformCode > 0
      ? (["sform", sformAffine(header)] as const)
      : header.qformCode > 0
        ? (["qform", qformAffine(header, path)] as const)
        : (["pixdim", baseAffine(header)] as const);
  const usable = header.dim[0]! === 2 ? withNormal(affine) : affine;
  if (!usable.every(Number.isFinite)) throw new VoxError(`the ${name} must be finite, got ${rowsOf(usable)}`, { code: "ERR_HEADER", where: path });
  if (!isInvertible(usable)) throw new VoxError(`the ${name} must be invertible, got ${rowsOf(usable)}`, { code: "ERR_HEADER", where: path });
  // Products with 0 leave negative zeros, which comparisons and hashes of geometry would see.
  return usable.map((value) => value + 0) as unknown as Affine;
}

function sformAffine({ srow }: NiftiHeader): Affine {
  // Three rows of four.
  return [...srow, 0, 0, 0, 1] as unknown as Affine;
}

function qformAffine(header: NiftiHeader, path: string): Affine {
  let [b, c, d] = header.quaternion;
  const square = 1 - (b * b + c * c + d * d);
  if (square < -1e-3) {
    throw new VoxError(`the qform quaternion must have b² + c² + d² of at most 1, got ${1 - square}`, { code: "ERR_HEADER", where: path });
  }
  const a = square < QUATERNION_TOLERANCE ? 0 : Math.sqrt(square);
  // A quaternion slightly too long is a rotation by 180 degrees that was rounded.
  const scale = 1 / Math.sqrt(a * a + b * b + c * c + d * d);
  const w = a * scale;
  b *= scale;
  c *= scale;
  d *= scale;
  const [x, y, z] = voxelSizes(header);
  const depth = header.pixdim[0]! < 0 ? -z : z;
  const [ox, oy, oz] = header.qoffset;
  return [
    (w * w + b * b - c * c - d * d) * x,
    2 * (b * c - w * d) * y,
    2 * (b * d + w * c) * depth,
    ox,
    2 * (b * c + w * d) * x,
    (w * w + c * c - b * b - d * d) * y,
    2 * (c * d - w * b) * depth,
    oy,
    2 * (b * d - w * c) * x,
    2 * (c * d + w * b) * y,
    (w * w + d * d - b * b - c * c) * depth,
    oz,
    0,
    0,
    0,
    1,
  ];
}

function baseAffine(header: NiftiHeader): Affine {
  const [x, y, z] = voxelSizes(header);
  const [ni, nj, nk] = [header.dim[1]!, header.dim[2]!, header.dim[0]! > 2 ? header.dim[3]! : 1];
  const depth = header.dim[0]! > 2 ? z : 1;
  return [-x, 0, 0, ((ni - 1) / 2) * x, 0, y, 0, (-(nj - 1) / 2) * y, 0, 0, depth, (-(nk - 1) / 2) * depth, 0, 0, 0, 1];
}

/** Voxel sizes as nibabel repairs them: 0 counts as 1, a sign is dropped. One that is no number stays one, to be refused, unless no axis has it. */
function voxelSizes({ pixdim, dim }: NiftiHeader): readonly [number, number, number] {
  const size = (n: number): number => (n > dim[0]! && !Number.isFinite(pixdim[n]) ? 1 : pixdim[n] === 0 ? 1 : Math.abs(pixdim[n]!));
  return [size(1), size(2), size(3)];
}

/** Writers of planar images may leave the third column empty; any normal of the plane will do. */
function withNormal(affine: Affine): Affine {
  const a = affine;
  if (a[2] !== 0 || a[6] !== 0 || a[10] !== 0) return affine;
  const normal = [a[4] * a[9] - a[8] * a[5], a[8] * a[1] - a[0] * a[9], a[0] * a[5] - a[4] * a[1]];
  const length = Math.hypot(...normal) || 1;
  const [x, y, z] = normal.map((component) => component / length);
  return [a[0], a[1], x!, a[3], a[4], a[5], y!, a[7], a[8], a[9], z!, a[11], 0, 0, 0, 1];
}

function isInvertible(a: Affine): boolean {
  const determinant = a[0] * (a[5] * a[10] - a[6] * a[9]) - a[1] * (a[4] * a[10] - a[6] * a[8]) + a[2] * (a[4] * a[9] - a[5] * a[8]);
  const volume = Math.hypot(a[0], a[4], a[8]) * Math.hypot(a[1], a[5], a[9]) * Math.hypot(a[2], a[6], a[10]);
  return Math.abs(determinant) > 1e-6 * volume;
}

function rowsOf(a: Affine): string {
  return `[${a.slice(0, 4).join(" ")}; ${a.slice(4, 8).join(" ")}; ${a.slice(8, 12).join(" ")}]`;
}
