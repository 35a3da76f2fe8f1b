import { requireOption } from "../core/errors.js";
import type { Triple } from "../core/shape.js";

/** Pooling factors per level, from the finest: explicit, 2 on every axis, or chosen from the patch. */
export type Pooling = "isotropic" | "auto" | readonly Triple[];

/** Extent below which `auto` stops to halve an axis, as nnU-Net does. */
const SMALLEST = 4;

export function requirePooling(pooling: Pooling, depth: number, where: string): void {
  if (typeof pooling === "string") {
    requireOption(pooling === "isotropic" || pooling === "auto", where, "pooling", '"isotropic", "auto" or one [z, y, x] factor per level', pooling);
    return;
  }
  requireOption(
    Array.isArray(pooling) &&
      pooling.length === depth &&
      pooling.every((level) => level.length === 3 && level.every((n: number) => Number.isInteger(n) && n >= 1 && n <= 8)),
    where,
    "pooling",
    `${depth} triples of integers 1..8, one per level`,
    pooling,
  );
}

/**
 * The pooling factors of each level for one patch size. `auto` halves, level by level, each axis that is even and stays at 4 voxels or more, so a thin
 * patch keeps its few slices.
 */
export function poolingFactors(pooling: Pooling, depth: number, patch: Triple): readonly Triple[] {
  if (typeof pooling !== "string") return pooling.map((level) => (patch[0] === 1 ? [1, level[1], level[2]] : level));
  const size: [number, number, number] = [...patch];
  return Array.from({ length: depth }, () => {
    const factor = size.map((extent, axis) => {
      if (axis === 0 && patch[0] === 1) return 1;
      return pooling === "isotropic" || (extent % 2 === 0 && extent / 2 >= SMALLEST) ? 2 : 1;
    }) as [number, number, number];
    for (const axis of [0, 1, 2] as const) size[axis] /= factor[axis];
    return factor;
  });
}

/** Product of the factors of all levels: what the patch must be divisible by. */
export function poolingDivisor(factors: readonly Triple[]): Triple {
  return factors.reduce<Triple>((product, factor) => [product[0] * factor[0], product[1] * factor[1], product[2] * factor[2]], [1, 1, 1]);
}
