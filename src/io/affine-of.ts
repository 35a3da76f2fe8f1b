import type { Affine } from "../core/geometry.js";

/**
 * The affine to RAS+ mm of a grid that is given by its origin and one step along each of its axes. `signs` say what the coordinates grow to: `[-1, -1, 1]`
 * where that is left, posterior, superior, as ITK and DICOM have it.
 */
export function affineOf(
  steps: readonly (readonly number[])[],
  origin: readonly number[],
  signs: readonly [number, number, number] = [-1, -1, 1],
): Affine {
  const row = (r: 0 | 1 | 2): number[] => [0, 1, 2].map((axis) => signs[r] * (steps[axis]?.[r] ?? 0)).concat(signs[r] * (origin[r] ?? 0));
  // Three rows of four and the last row of an affine.
  return [...row(0), ...row(1), ...row(2), 0, 0, 0, 1] as unknown as Affine;
}
