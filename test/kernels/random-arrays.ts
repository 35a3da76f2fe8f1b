import { Random } from "../../src/core/random.js";

/** Reproducible arrays for property tests. */
export function randomFloats(count: number, key: string, min = -3, max = 5): Float32Array {
  const random = new Random("floats", key);
  return Float32Array.from({ length: count }, () => random.uniform(min, max));
}

export function randomLabels(count: number, key: string, classes: number): Uint8Array {
  const random = new Random("labels", key);
  return Uint8Array.from({ length: count }, () => random.integer(0, classes - 1));
}

/** Labels in blobs, as label maps are: each voxel keeps the label of the one before with probability 0.9. */
export function blobLabels(count: number, key: string, classes: number): Uint8Array {
  const random = new Random("blobs", key);
  let label = 0;
  return Uint8Array.from({ length: count }, () => {
    if (random.chance(0.1)) label = random.integer(0, classes - 1);
    return label;
  });
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} and ${b.length} elements`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    // NaN must not pass as equal.
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}
