import type { Shape4, Triple } from "../../core/shape.js";

/** How an image goes on beyond its border: with 0, with its edge voxels, or mirrored with the edge voxel repeated (`b a | a b c`). */
export type FilterMode = "constant" | "edge" | "symmetric";

/** Normalized weights for -radius … radius, radius = floor(truncate·σ + 0.5) as in scipy. */
export function gaussianWeights(sigma: number, truncate: number): Float64Array {
  const radius = sigma > 0 ? Math.floor(truncate * sigma + 0.5) : 0;
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => (radius === 0 ? 1 : Math.exp((-0.5 * (i - radius) ** 2) / sigma ** 2)));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

/** Index inside [0, extent) for position i of the continued image; -1 stands for the value 0. */
export function continuedIndex(i: number, extent: number, mode: FilterMode): number {
  if (i >= 0 && i < extent) return i;
  if (mode === "constant") return -1;
  if (mode === "edge") return i < 0 ? 0 : extent - 1;
  const period = 2 * extent;
  const at = ((i % period) + period) % period;
  return at < extent ? at : period - 1 - at;
}

/** Three one-dimensional convolutions in double precision. */
export function gaussianFilterReference(
  input: Float32Array,
  shape: Shape4,
  output: Float32Array,
  sigma: Triple,
  mode: FilterMode,
  truncate: number,
): void {
  let values = Float64Array.from(input);
  for (let axis = 0; axis < 3; axis++) {
    const weights = gaussianWeights(sigma[axis]!, truncate);
    const radius = (weights.length - 1) / 2;
    const extent = shape[axis]!;
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const next = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const k = Math.floor(i / inner) % extent;
      let sum = 0;
      for (let r = -radius; r <= radius; r++) {
        const from = continuedIndex(k + r, extent, mode);
        if (from >= 0) sum += weights[r + radius]! * values[i + (from - k) * inner]!;
      }
      next[i] = sum;
    }
    values = next;
  }
  output.set(values);
}
