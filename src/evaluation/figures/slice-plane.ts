import type { PlaneName } from "../../core/plane-name.js";
import type { Triple } from "../../core/shape.js";

export type { PlaneName } from "../../core/plane-name.js";

/** How slices of a canonical array lie on the screen: as a radiologist hangs them. */
export interface SlicePlane {
  /** Slices in this direction. */
  readonly slices: number;
  readonly rows: number;
  readonly columns: number;
  /** Height and width of a pixel in mm. */
  readonly pixel: readonly [height: number, width: number];
  /** Index of the voxel at a row and column of a slice, row 0 on top. */
  readonly voxel: (slice: number, row: number, column: number) => number;
  /** What lies at the left, right, top and bottom. */
  readonly edges: readonly [left: string, right: string, top: string, bottom: string];
}

/**
 * Axial: anterior up, the patient's right at the viewer's left. Coronal: superior up, right at the left. Sagittal: superior up, anterior at the left.
 *
 * @shape (D, H, W), depth → Superior, height → Anterior, width → Right
 * @example
 * slicePlane("axial", [48, 96, 96], [3, 1, 1]).voxel(0, 0, 0); // the voxel of z = 0 that is most anterior and most to the right
 */
export function slicePlane(name: PlaneName, shape: Triple, spacing: Triple): SlicePlane {
  const [depth, height, width] = shape;
  switch (name) {
    case "axial":
      return {
        slices: depth,
        rows: height,
        columns: width,
        pixel: [spacing[1], spacing[2]],
        voxel: (slice, row, column) => (slice * height + (height - 1 - row)) * width + (width - 1 - column),
        edges: ["R", "L", "A", "P"],
      };
    case "coronal":
      return {
        slices: height,
        rows: depth,
        columns: width,
        pixel: [spacing[0], spacing[2]],
        voxel: (slice, row, column) => ((depth - 1 - row) * height + slice) * width + (width - 1 - column),
        edges: ["R", "L", "S", "I"],
      };
    case "sagittal":
      return {
        slices: width,
        rows: depth,
        columns: height,
        pixel: [spacing[0], spacing[1]],
        voxel: (slice, row, column) => ((depth - 1 - row) * height + (height - 1 - column)) * width + slice,
        edges: ["A", "P", "S", "I"],
      };
    default:
      return name satisfies never;
  }
}
