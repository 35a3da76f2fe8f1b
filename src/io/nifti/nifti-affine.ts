import { VoxError } from "../../core/errors.js";
import type { Affine } from "../../core/geometry.js";
import { usableAffine } from "../usable-affine.js";
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
  return usableAffine(affine, name, path, header.dim[0]! === 2 ? 2 : 3);
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
