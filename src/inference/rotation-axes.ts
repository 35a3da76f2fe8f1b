import { describe, requireOption, VoxError } from "../core/errors.js";
import { PLANES, type PlaneName } from "../core/plane-name.js";
import { formatShape, type Triple } from "../core/shape.js";

/** Quarter turns for test-time augmentation: within all planes where they are exact, or within these. */
export type Rotations = "auto" | readonly PlaneName[];

/** Spacings that differ by less are the same: resampling to whole voxels leaves them up to a voxel over the extent from what was asked for. */
const SPACING_TOLERANCE = 1e-2;

/**
 * The axes of a window around which quarter turns are exact permutations of voxels, in place and in millimeters: both other axes have the same extent and
 * the same spacing.
 *
 * `along` says which axis of the case each axis of the window runs along; without a case and its `spacing` only extents are looked at.
 * @throws `ERR_OPTION` when nothing of what is asked for is exact, or `ERR_GEOMETRY` when only this case does not allow it
 * @example
 * rotationAxes("auto", { patch: [16, 64, 64], spacing: [3, 0.8, 0.8], along: [0, 1, 2] }); // [0]: within axial slices
 */
export function rotationAxes(
  rotations: Rotations,
  { patch, spacing, along, sampleId }: { readonly patch: Triple; readonly spacing?: Triple; readonly along: Triple; readonly sampleId?: string },
): readonly (0 | 1 | 2)[] {
  requireOption(
    rotations === "auto" || (rotations.length > 0 && rotations.every((plane) => PLANES.includes(plane))),
    "predictor",
    "rotations",
    `"auto" or planes among ${PLANES.join(", ")}`,
    rotations,
  );
  const isExact = (axis: number): boolean => {
    const [a, b] = [0, 1, 2].filter((other) => other !== axis) as [number, number];
    if (patch[a] !== patch[b]) return false;
    if (!spacing) return true;
    const [first, second] = [spacing[along[a]!]!, spacing[along[b]!]!];
    return Math.abs(first - second) <= SPACING_TOLERANCE * Math.max(first, second);
  };
  // Axial slices lie across the depth of the case, coronal ones across its height, sagittal ones across its width.
  const wanted = rotations === "auto" ? ([0, 1, 2] as const) : rotations.map((plane) => along.indexOf(PLANES.indexOf(plane)) as 0 | 1 | 2);
  // A window of one voxel in a plane turns into itself: there is nothing to average.
  const chosen = wanted.filter((axis) => isExact(axis) && (rotations !== "auto" || [0, 1, 2].some((other) => other !== axis && patch[other]! > 1)));
  const isMet = rotations === "auto" ? chosen.length > 0 : chosen.length === wanted.length;
  const shown = spacing ? ` and spacing ${along.map((axis) => Number(spacing[axis]!.toPrecision(4))).join(" x ")} mm` : "";
  const rule = `planes in which windows are square, in voxels and in millimeters (window ${formatShape(patch)}${shown})`;
  if (!isMet && sampleId !== undefined) {
    throw new VoxError(`rotations must be ${rule}, got ${describe(rotations)}`, { code: "ERR_GEOMETRY", where: "predictor", sampleId });
  }
  requireOption(isMet, "predictor", "rotations", rule, rotations);
  return chosen;
}
