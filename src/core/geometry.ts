import type { Json } from "./json.js";
import type { Triple } from "./shape.js";

/** Row-major 4x4 matrix that maps (x, y, z, 1) voxel indices to RAS+ millimeters; x is the fastest array axis (width), z the slowest (depth). */
export type Affine = readonly [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

/** Where the voxels of a volume lie. `spacing` is `[z, y, x]` in mm and equals the column norms of `affine`. */
export interface Geometry {
  readonly spacing: Triple;
  readonly affine: Affine;
}

/** How one canonical axis is found in the file: which file axis it is, and whether it runs backwards there. */
export interface SourceAxis {
  readonly axis: 0 | 1 | 2;
  readonly flipped: boolean;
}

/** The grid of the file a sample came from: all that is needed to write a prediction back onto exactly that grid. */
export interface SourceGrid {
  readonly format: string;
  readonly path: string;
  /** Spatial extents in file order (i, j, k). */
  readonly shape: readonly [number, number, number];
  /** Spatial axes that the file really has: 2 for planar images. */
  readonly dimensions: 2 | 3;
  /** The file's own affine, (i, j, k, 1) → RAS+ mm. */
  readonly affine: Affine;
  /** For the canonical axes x (Right), y (Anterior), z (Superior), in that order. */
  readonly axes: readonly [SourceAxis, SourceAxis, SourceAxis];
  /** Three letters of the file's axis directions, such as `LPS`. */
  readonly orientation: string;
  /** What the format's writer needs to repeat (codes, units, header bytes). */
  readonly header: Json;
}

/** Column norms of the affine, as `[z, y, x]` in mm. */
export function spacingOf(affine: Affine): Triple {
  const norm = (column: number): number => Math.hypot(affine[column]!, affine[4 + column]!, affine[8 + column]!);
  return [norm(2), norm(1), norm(0)];
}

/** Axis-aligned geometry with its first voxel at the origin: what a volume without a known place gets. */
export function axisAligned(spacing: Triple = [1, 1, 1]): Geometry {
  const [z, y, x] = spacing;
  return { spacing, affine: [x, 0, 0, 0, 0, y, 0, 0, 0, 0, z, 0, 0, 0, 0, 1] };
}

/**
 * The geometry after the index change `old = scale * new + offset` per axis (array order z, y, x): a crop has scale 1, a pad a negative offset,
 * a resample to another voxel size a scale with the half-voxel offset `(scale - 1) / 2`.
 */
export function transformGeometry(geometry: Geometry, scale: Triple, offset: Triple): Geometry {
  const a = geometry.affine;
  const byColumn = [scale[2], scale[1], scale[0]];
  const shift = [offset[2], offset[1], offset[0]];
  const rows = [0, 1, 2].map((row) => {
    const [p, q, r, t] = [a[row * 4]!, a[row * 4 + 1]!, a[row * 4 + 2]!, a[row * 4 + 3]!];
    return [p * byColumn[0]!, q * byColumn[1]!, r * byColumn[2]!, t + p * shift[0]! + q * shift[1]! + r * shift[2]!];
  });
  // The literal length is known: three rows of four and the last row of an affine.
  const affine = [...rows.flat(), 0, 0, 0, 1] as unknown as Affine;
  return { spacing: [geometry.spacing[0] * scale[0], geometry.spacing[1] * scale[1], geometry.spacing[2] * scale[2]], affine };
}
