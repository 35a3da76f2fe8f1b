import { VoxError } from "../core/errors.js";
import type { Affine, Geometry } from "../core/geometry.js";
import { formatShape, type Shape4, spatial } from "../core/shape.js";

/** What lies on a grid: a header, or what is known of a case. */
export interface Placed {
  readonly path: string;
  readonly shape: Shape4;
  readonly geometry: Geometry;
}

/** Tools round affines differently; a twentieth of a voxel cannot matter to a label. */
const TOLERANCE = 0.05;

/**
 * Makes sure that two files have the same voxels in the same places, in canonical orientation: equal shapes, and no corner of the volume further apart
 * than a twentieth of the smallest voxel side.
 *
 * @units mm
 * @throws `ERR_GEOMETRY` with both shapes, or the distance and both affines
 */
export function requireSameGrid(image: Placed, other: Placed, role: "label" | "channel", sampleId?: string): void {
  const options = { code: "ERR_GEOMETRY", where: other.path, ...(sampleId === undefined ? {} : { sampleId }) } as const;
  if (spatial(image.shape).some((extent, axis) => extent !== other.shape[axis])) {
    throw new VoxError(
      `the ${role} must have the image's shape ${formatShape(spatial(image.shape))} (depth x height x width, ${image.path}), got ${formatShape(spatial(other.shape))}`,
      options,
    );
  }
  const distance = farthestCorner(image, other);
  const allowed = TOLERANCE * Math.min(...image.geometry.spacing);
  if (distance > allowed) {
    throw new VoxError(
      `the ${role} must lie where the image lies (${image.path}) within ${short(allowed)} mm, got corners ${short(distance)} mm apart; image affine ${rows(image.geometry.affine)}, ${role} affine ${rows(other.geometry.affine)}`,
      options,
    );
  }
}

function farthestCorner(a: Placed, b: Placed): number {
  let farthest = 0;
  for (let corner = 0; corner < 8; corner++) {
    const x = corner & 1 ? a.shape[2] - 1 : 0;
    const y = corner & 2 ? a.shape[1] - 1 : 0;
    const z = corner & 4 ? a.shape[0] - 1 : 0;
    const gap = [0, 4, 8].map((row) => {
      const along = (affine: Affine): number => affine[row]! * x + affine[row + 1]! * y + affine[row + 2]! * z + affine[row + 3]!;
      return along(a.geometry.affine) - along(b.geometry.affine);
    });
    farthest = Math.max(farthest, Math.hypot(...gap));
  }
  return farthest;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function rows(a: Affine): string {
  return `[${[0, 4, 8]
    .map((row) =>
      a
        .slice(row, row + 4)
        .map(short)
        .join(" "),
    )
    .join("; ")}]`;
}
