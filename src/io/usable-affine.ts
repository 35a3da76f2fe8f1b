import { VoxError } from "../core/errors.js";
import type { Affine } from "../core/geometry.js";

/**
 * The affine of a file, once it is known to be finite and invertible; for planar files with any normal of the plane where the third column is empty.
 *
 * @throws `ERR_HEADER` with the rows
 */
export function usableAffine(given: Affine, name: string, path: string, dimensions: 2 | 3): Affine {
  const affine = dimensions === 2 ? withNormal(given) : given;
  if (!affine.every(Number.isFinite)) throw new VoxError(`the ${name} must be finite, got ${rowsOf(affine)}`, { code: "ERR_HEADER", where: path });
  if (!isInvertible(affine)) throw new VoxError(`the ${name} must be invertible, got ${rowsOf(affine)}`, { code: "ERR_HEADER", where: path });
  // Products with 0 leave negative zeros, which comparisons and hashes of geometry would see.
  return affine.map((value) => value + 0) as unknown as Affine;
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
