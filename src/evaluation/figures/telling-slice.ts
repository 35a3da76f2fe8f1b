import type { SlicePlane } from "./slice-plane.js";

/**
 * The slice that shows most of what matters: each class counts with its share of voxels in the slice, so a small tumor weighs as much as a large kidney;
 * reference and prediction count alike. The middle slice where there is no label at all.
 *
 * @example
 * tellingSlice(slicePlane("axial", shape, spacing), [label, prediction]);
 */
export function tellingSlice(plane: SlicePlane, maps: readonly ArrayLike<number>[]): number {
  const totals = new Map<number, number>();
  const perSlice: Map<number, number>[] = [];
  for (let slice = 0; slice < plane.slices; slice++) {
    const counts = new Map<number, number>();
    for (let row = 0; row < plane.rows; row++) {
      for (let column = 0; column < plane.columns; column++) {
        const voxel = plane.voxel(slice, row, column);
        for (const map of maps) {
          const label = map[voxel]!;
          if (label !== 0) counts.set(label, (counts.get(label) ?? 0) + 1);
        }
      }
    }
    for (const [label, count] of counts) totals.set(label, (totals.get(label) ?? 0) + count);
    perSlice.push(counts);
  }
  let best = Math.floor(plane.slices / 2);
  let bestScore = 0;
  perSlice.forEach((counts, slice) => {
    let score = 0;
    for (const [label, count] of counts) score += count / totals.get(label)!;
    if (score > bestScore) {
      bestScore = score;
      best = slice;
    }
  });
  return best;
}
