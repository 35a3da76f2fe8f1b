import { closestCanonical } from "../core/closest-canonical.js";
import type { Geometry, SourceGrid } from "../core/geometry.js";
import type { Triple } from "../core/shape.js";

export interface PlacedGrid {
  readonly source: SourceGrid;
  /** Canonical `[depth, height, width]`. */
  readonly shape: Triple;
  readonly geometry: Geometry;
}

/** The grid of a file, from its shape and affine, with the canonical shape and geometry that follow from it. */
export function placeOnGrid(file: Omit<SourceGrid, "axes" | "orientation">): PlacedGrid {
  const { shape, geometry, axes, orientation } = closestCanonical(file.affine, file.shape, file.dimensions);
  return { source: { ...file, axes, orientation }, shape, geometry };
}
