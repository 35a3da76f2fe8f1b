import type { CustomCase } from "../core/case.js";
import { VoxError } from "../core/errors.js";
import { type Affine, axisAligned, type Geometry, type SourceGrid } from "../core/geometry.js";
import type { Shape4, Triple } from "../core/shape.js";
import { reorient } from "../kernels/reorient/reorient.js";
import { placeOnGrid } from "./place-on-grid.js";

export interface CanonicalCase {
  readonly custom: CustomCase;
  readonly geometry: Geometry;
  /** The grid of the arrays as they were delivered, which predictions go back to; absent without an affine. */
  readonly source?: SourceGrid;
}

/**
 * The arrays of a user's reader, turned to the closest RAS+ orientation as those of files are: swaps and flips only, by their affine. Arrays without an
 * affine stay as they are, with voxels of 1 mm. Arrays that lie right already are not copied.
 *
 * @shape (D, H, W, C) → canonical (D, H, W, C); array axes 2, 1, 0 run along the columns 0, 1, 2 of the affine
 * @units affine in mm
 * @label turned alike
 * @throws `ERR_GEOMETRY` with the case when the affine is not finite or not invertible
 */
export function canonicalCase(custom: CustomCase, id: string): CanonicalCase {
  const { affine, shape } = custom.image;
  if (!affine) return { custom, geometry: axisAligned() };
  requireAffine(affine, id);
  const [depth, height, width] = shape;
  const placed = placeOnGrid({ format: "arrays", path: id, shape: [width, height, depth], dimensions: depth === 1 ? 2 : 3, affine, header: null });
  const { source, geometry } = placed;
  const [x, y, z] = source.axes;
  const order: Triple = [2 - z.axis, 2 - y.axis, 2 - x.axis];
  const flips = [z.flipped, y.flipped, x.flipped] as const;
  if (order.join() === "0,1,2" && !flips.some(Boolean)) return { custom, geometry, source };
  const turned = <A extends CustomCase["image"]["data"]>(array: { readonly data: A; readonly shape: Shape4 }) => {
    // The constructor of an element type makes that type.
    const data = new (array.data.constructor as new (length: number) => A)(array.data.length);
    reorient(array.data, array.shape, data, order, flips);
    return { data, shape: [...placed.shape, array.shape[3]] as const };
  };
  return {
    custom: { image: { ...turned(custom.image), affine: geometry.affine }, ...(custom.label && { label: turned(custom.label) }) },
    geometry,
    source,
  };
}

function requireAffine(affine: Affine, sampleId: string): void {
  const [a, b, c, , d, e, f, , g, h, i] = affine;
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const volume = Math.hypot(a, d, g) * Math.hypot(b, e, h) * Math.hypot(c, f, i);
  if (affine.length === 16 && affine.every(Number.isFinite) && Math.abs(determinant) > 1e-6 * volume) return;
  throw new VoxError(`the affine must be 16 finite numbers, four rows of four, and invertible, got [${affine.join(" ")}]`, {
    code: "ERR_GEOMETRY",
    where: "load",
    sampleId,
  });
}
