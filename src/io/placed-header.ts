import type { SourceGrid } from "../core/geometry.js";
import type { StoredDtype } from "../kernels/decode/reference.js";
import { placeOnGrid } from "./place-on-grid.js";
import { sourceLayout } from "./source-layout.js";
import type { VolumeHeader, VoxelEncoding } from "./volume-format.js";

/** What a file says of its voxels, in its own axis order. */
export interface StoredVolume {
  /** Shape, affine and the like, as the file has them. */
  readonly grid: Omit<SourceGrid, "axes" | "orientation">;
  readonly channels: number;
  readonly dtype: StoredDtype;
  readonly storedBytes: number;
  readonly littleEndian?: boolean;
  readonly slope?: number;
  readonly intercept?: number;
  readonly encoding: Omit<VoxelEncoding, "plan">;
}

/** The header of a volume, with where each of its voxels lies in the canonical array. */
export function placedHeader({
  grid,
  channels,
  dtype,
  storedBytes,
  littleEndian = true,
  slope = 1,
  intercept = 0,
  encoding,
}: StoredVolume): VolumeHeader {
  const { source, shape, geometry } = placeOnGrid(grid);
  return {
    format: grid.format,
    path: grid.path,
    shape: [...shape, channels],
    dtype,
    geometry,
    source,
    storedBytes,
    encoding: { ...encoding, plan: { dtype, littleEndian, slope, intercept, ...sourceLayout(source, channels) } },
  };
}
