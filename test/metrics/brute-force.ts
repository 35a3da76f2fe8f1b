import type { Triple } from "../../src/core/shape.js";

/** Surface metrics by the definitions alone: every pair of surface voxels, no crop, no distance transform. */
export function bruteForce(
  prediction: ArrayLike<number>,
  reference: ArrayLike<number>,
  shape: Triple,
  spacing: Triple,
  label: number,
  tolerance: number,
) {
  const a = surfacePoints(prediction, shape, spacing, label);
  const b = surfacePoints(reference, shape, spacing, label);
  const nearest = (from: number[][], to: number[][]): number[] =>
    from.map((p) => Math.min(...to.map((q) => Math.hypot(p[0]! - q[0]!, p[1]! - q[1]!, p[2]! - q[2]!))));
  const ab = nearest(a, b).sort((p, q) => p - q);
  const ba = nearest(b, a).sort((p, q) => p - q);
  const rank = (values: number[], share: number): number => {
    const position = (values.length - 1) * share;
    const low = Math.floor(position);
    return values[low]! * (1 - (position - low)) + values[Math.min(low + 1, values.length - 1)]! * (position - low);
  };
  const both = [...ab, ...ba];
  return {
    hd: Math.max(...both),
    hd95: Math.max(rank(ab, 0.95), rank(ba, 0.95)),
    assd: both.reduce((sum, d) => sum + d, 0) / both.length,
    nsd: both.filter((d) => d <= tolerance + 1e-5).length / both.length,
  };
}

function surfacePoints(map: ArrayLike<number>, [depth, height, width]: Triple, spacing: Triple, label: number): number[][] {
  const points: number[][] = [];
  const isIn = (z: number, y: number, x: number): boolean =>
    z >= 0 && y >= 0 && x >= 0 && z < depth && y < height && x < width && map[(z * height + y) * width + x] === label;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (!isIn(z, y, x)) continue;
        const neighbors = [
          ...(depth > 1 ? [isIn(z - 1, y, x), isIn(z + 1, y, x)] : []),
          ...(height > 1 ? [isIn(z, y - 1, x), isIn(z, y + 1, x)] : []),
          ...(width > 1 ? [isIn(z, y, x - 1), isIn(z, y, x + 1)] : []),
        ];
        if (neighbors.length === 0 || neighbors.includes(false)) points.push([z * spacing[0], y * spacing[1], x * spacing[2]]);
      }
    }
  }
  return points;
}
