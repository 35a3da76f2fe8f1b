import type { Triple } from "../core/shape.js";

/**
 * The smallest box that holds all voxels that are asked for; undefined where there is none.
 *
 * @example
 * boundingBox([48, 96, 96], (at) => labels[at] === 2)?.size;
 */
export function boundingBox(
  [depth, height, width]: Triple,
  isInside: (at: number) => boolean,
): { readonly start: Triple; readonly size: Triple } | undefined {
  const low = [depth, height, width] as [number, number, number];
  const high = [-1, -1, -1] as [number, number, number];
  let at = 0;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        if (!isInside(at)) continue;
        if (z < low[0]) low[0] = z;
        if (z > high[0]) high[0] = z;
        if (y < low[1]) low[1] = y;
        if (y > high[1]) high[1] = y;
        if (x < low[2]) low[2] = x;
        if (x > high[2]) high[2] = x;
      }
    }
  }
  if (high[0] < 0) return undefined;
  return { start: low, size: [high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1] };
}
