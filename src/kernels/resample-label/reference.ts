import type { Shape4 } from "../../core/shape.js";
import type { LabelArray } from "../label-array.js";
import { nearestIndex } from "../resample-image/reference.js";

/** Shares of labels that make exactly one half are recognized as such in spite of rounding. */
export const HALF = 0.5 - 1e-10;

/**
 * The label whose share of the eight corners is at least one half, 0 when there is none; of two halves the larger label. Corners in C order.
 */
export function majorityLabel(corners: ArrayLike<number>, weights: ArrayLike<number>): number {
  let best = 0;
  for (let i = 0; i < 8; i++) {
    const label = corners[i]!;
    if (label <= best) continue;
    let share = 0;
    for (let k = 0; k < 8; k++) if (corners[k] === label) share += weights[k]!;
    if (share >= HALF) best = label;
  }
  return best;
}

interface Pair {
  readonly a: number;
  readonly b: number;
  readonly f: number;
}

function linearPair(i: number, extent: number, outExtent: number): Pair {
  const t = ((i + 0.5) * extent) / outExtent - 0.5;
  const below = Math.floor(t);
  return { a: Math.max(below, 0), b: Math.min(below + 1, extent - 1), f: t - below };
}

export function resampleLabelReference(input: LabelArray, shape: Shape4, output: LabelArray, outShape: Shape4, order: 0 | 1): void {
  const [depth, height, width] = shape;
  const [outDepth, outHeight, outWidth] = outShape;
  const corners = new Uint16Array(8);
  const weights = new Float64Array(8);
  let to = 0;
  for (let z = 0; z < outDepth; z++) {
    for (let y = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        if (order === 0) {
          const row = nearestIndex(z, depth, outDepth) * height + nearestIndex(y, height, outHeight);
          output[to++] = input[row * width + nearestIndex(x, width, outWidth)]!;
          continue;
        }
        const [pz, py, px] = [linearPair(z, depth, outDepth), linearPair(y, height, outHeight), linearPair(x, width, outWidth)];
        for (let k = 0; k < 8; k++) {
          const [cz, cy, cx] = [k & 4 ? pz.b : pz.a, k & 2 ? py.b : py.a, k & 1 ? px.b : px.a];
          corners[k] = input[(cz * height + cy) * width + cx]!;
          weights[k] = (k & 4 ? pz.f : 1 - pz.f) * (k & 2 ? py.f : 1 - py.f) * (k & 1 ? px.f : 1 - px.f);
        }
        output[to++] = majorityLabel(corners, weights);
      }
    }
  }
}
