import { requireOption } from "../../core/errors.js";
import { elementCount, type Shape4, type Triple } from "../../core/shape.js";
import { requireElements, requireShape } from "../require-elements.js";

/** First voxel and extents of a box. */
export interface VoxelBox {
  readonly start: Triple;
  readonly size: Triple;
}

/**
 * The smallest box with all voxels that are above `above` in any channel; undefined when there are none. Looks from the outside in and ends where it finds
 * one, so voxels inside the box are hardly read. No extra memory.
 *
 * @shape input (D, H, W, C), above (C)
 * @throws `ERR_SHAPE` when lengths do not fit
 */
export function foregroundBox(input: Float32Array, shape: Shape4, above: readonly number[]): VoxelBox | undefined {
  requireShape("foregroundBox", "shape", shape, 4);
  requireElements("foregroundBox", "input", input, elementCount(shape));
  requireOption(above.length === shape[3], "foregroundBox", "above", `${shape[3]} numbers, one per channel`, above);
  const [depth, height, width, channels] = shape;
  const limits = Float32Array.from(above);
  const isForeground = (voxel: number): boolean => {
    for (let c = 0, i = voxel * channels; c < channels; c++) if (input[i + c]! > limits[c]!) return true;
    return false;
  };
  /** First voxel of a row's columns [from, to) that is foreground, or `to`. */
  const firstIn = (z: number, y: number, from: number, to: number): number => {
    const row = (z * height + y) * width;
    for (let x = from; x < to; x++) if (isForeground(row + x)) return x;
    return to;
  };
  const hasRow = (z: number, y: number): boolean => firstIn(z, y, 0, width) < width;
  const hasSlice = (z: number): boolean => {
    for (let y = 0; y < height; y++) if (hasRow(z, y)) return true;
    return false;
  };
  let z0 = 0;
  while (z0 < depth && !hasSlice(z0)) z0++;
  if (z0 === depth) return undefined;
  let z1 = depth;
  while (!hasSlice(z1 - 1)) z1--;
  const hasHeight = (y: number): boolean => {
    for (let z = z0; z < z1; z++) if (hasRow(z, y)) return true;
    return false;
  };
  let y0 = 0;
  while (!hasHeight(y0)) y0++;
  let y1 = height;
  while (!hasHeight(y1 - 1)) y1--;
  let x0 = width;
  let x1 = 0;
  for (let z = z0; z < z1; z++) {
    for (let y = y0; y < y1; y++) {
      x0 = firstIn(z, y, 0, x0);
      const row = (z * height + y) * width;
      for (let x = width - 1; x >= x1; x--) if (isForeground(row + x)) x1 = x + 1;
    }
  }
  return { start: [z0, y0, x0], size: [z1 - z0, y1 - y0, x1 - x0] };
}
