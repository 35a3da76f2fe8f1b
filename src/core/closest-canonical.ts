import { type Affine, type Geometry, type SourceAxis, spacingOf } from "./geometry.js";
import type { Triple } from "./shape.js";

/** How a file's axes turn into the canonical ones, and what the volume is afterwards. */
export interface CanonicalGrid {
  /** Spatial shape `[depth, height, width]` after the turn. */
  readonly shape: Triple;
  readonly geometry: Geometry;
  readonly axes: readonly [SourceAxis, SourceAxis, SourceAxis];
  /** Three letters that name where the file's own axes point to, such as `LPS`. */
  readonly orientation: string;
}

type Matrix3 = readonly [number, number, number, number, number, number, number, number, number];

/**
 * The turn (axis swaps and flips, no interpolation) that brings a grid closest to RAS+: width to Right, height to Anterior, depth to Superior.
 *
 * The rotation nearest to the affine's direction matrix (its orthogonal polar factor, which equals the `P Qᵀ` of the singular value decomposition)
 * is matched axis by axis, the strongest first. Planar images (`dimensions: 2`) keep their third axis as depth, so that depth stays 1.
 *
 * @units affine in mm
 * @source nibabel 5, orientations.io_orientation
 */
export function closestCanonical(affine: Affine, fileShape: readonly [number, number, number], dimensions: 2 | 3 = 3): CanonicalGrid {
  const rotation = orthogonalFactor(directions(affine));
  const target: [number, number, number] = [-1, -1, -1];
  const backwards = [false, false, false];
  const strongest = (axis: number): number => Math.max(Math.abs(rotation[axis]!), Math.abs(rotation[3 + axis]!), Math.abs(rotation[6 + axis]!));
  const order = [0, 1, 2].sort((a, b) => strongest(b) - strongest(a));
  for (const axis of order) {
    let best = -1;
    for (let row = 0; row < 3; row++) {
      if (target.includes(row)) continue;
      if (best < 0 || Math.abs(rotation[row * 3 + axis]!) > Math.abs(rotation[best * 3 + axis]!)) best = row;
    }
    target[axis] = best;
    backwards[axis] = rotation[best * 3 + axis]! < 0;
  }
  const letters = [0, 1, 2].map((axis) => (backwards[axis] ? "LPI" : "RAS")[target[axis]!]).join("");

  const fileAxisOf = (canonical: number): SourceAxis => {
    // target is a permutation of 0..2.
    const axis = target.indexOf(canonical) as 0 | 1 | 2;
    return { axis, flipped: backwards[axis]! };
  };
  const inPlane = (first: 0 | 1, second: 0 | 1): readonly [SourceAxis, SourceAxis, SourceAxis] => [
    { axis: first, flipped: backwards[first]! },
    { axis: second, flipped: backwards[second]! },
    { axis: 2, flipped: false },
  ];
  const axes = dimensions === 3 ? ([fileAxisOf(0), fileAxisOf(1), fileAxisOf(2)] as const) : target[0]! < target[1]! ? inPlane(0, 1) : inPlane(1, 0);

  const turned = turnAffine(affine, fileShape, axes);
  return {
    shape: [fileShape[axes[2].axis], fileShape[axes[1].axis], fileShape[axes[0].axis]],
    geometry: { spacing: spacingOf(turned), affine: turned },
    axes,
    orientation: letters,
  };
}

/** The affine of the grid whose axis `c` is the file's axis `axes[c]`. */
export function turnAffine(affine: Affine, fileShape: readonly [number, number, number], axes: readonly SourceAxis[]): Affine {
  const turned = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  for (let row = 0; row < 3; row++) {
    let translation = affine[row * 4 + 3]!;
    for (let column = 0; column < 3; column++) {
      const { axis, flipped } = axes[column]!;
      const step = affine[row * 4 + axis]!;
      // 0 - step instead of -step: no negative zeros.
      turned[row * 4 + column] = flipped ? 0 - step : step;
      if (flipped) translation += step * (fileShape[axis] - 1);
    }
    turned[row * 4 + 3] = translation;
  }
  return turned as unknown as Affine;
}

/** Upper left 3x3 part with columns of length 1. */
function directions(affine: Affine): Matrix3 {
  const [z, y, x] = spacingOf(affine);
  const a = affine;
  return [a[0] / x, a[1] / y, a[2] / z, a[4] / x, a[5] / y, a[6] / z, a[8] / x, a[9] / y, a[10] / z];
}

/** The orthogonal matrix nearest to an invertible one, by Newton's iteration X ← (X + X⁻ᵀ) / 2, which converges quadratically. */
function orthogonalFactor(start: Matrix3): Matrix3 {
  let x = start;
  for (let iteration = 0; iteration < 100; iteration++) {
    const [a, b, c, d, e, f, g, h, i] = x;
    const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
    const cofactors = [
      e * i - f * h,
      f * g - d * i,
      d * h - e * g,
      c * h - b * i,
      a * i - c * g,
      b * g - a * h,
      b * f - c * e,
      c * d - a * f,
      a * e - b * d,
    ];
    let change = 0;
    const next = x.map((value, k) => {
      const better = (value + cofactors[k]! / determinant) / 2;
      change = Math.max(change, Math.abs(better - value));
      return better;
    });
    x = next as unknown as Matrix3;
    if (change < 1e-14) break;
  }
  return x;
}
