import type { Shape4 } from "../../core/shape.js";
import { cubicWeights, splineCoefficients } from "../spline/spline-coefficients.js";

export type InterpolationOrder = 0 | 1 | 3;

/** One axis of half-pixel-centered resampling: src = (dst + 0.5)·n/m - 0.5. */
function resampleLine(line: Float64Array, length: number, order: InterpolationOrder): Float64Array {
  const n = line.length;
  const result = new Float64Array(length);
  const coefficients = order === 3 ? splineCoefficients(line) : line;
  for (let i = 0; i < length; i++) {
    if (order === 0) {
      result[i] = line[nearestIndex(i, n, length)]!;
      continue;
    }
    const t = ((i + 0.5) * n) / length - 0.5;
    const below = Math.floor(t);
    const f = t - below;
    if (order === 1) {
      const [a, b] = [Math.max(below, 0), Math.min(below + 1, n - 1)];
      result[i] = (1 - f) * line[a]! + f * line[b]!;
    } else {
      cubicWeights(f).forEach((weight, k) => {
        result[i]! += weight * coefficients[below - 1 + k + 2]!;
      });
    }
  }
  return result;
}

/** floor(src + 0.5) in whole numbers, free of rounding. */
export function nearestIndex(i: number, extent: number, outExtent: number): number {
  return Math.floor(((2 * i + 1) * extent) / (2 * outExtent));
}

/** Three one-dimensional resamplings, kept in the input's range (per channel). */
export function resampleImageReference(input: Float32Array, shape: Shape4, output: Float32Array, outShape: Shape4, order: InterpolationOrder): void {
  const channels = shape[3];
  let values = Float64Array.from(input);
  const extents: [number, number, number] = [shape[0], shape[1], shape[2]];
  for (let axis = 0; axis < 3; axis++) {
    const [from, to] = [extents[axis]!, outShape[axis]!];
    const inner = extents.slice(axis + 1).reduce((a, b) => a * b, channels);
    const outer = extents.slice(0, axis).reduce((a, b) => a * b, 1);
    const next = new Float64Array(outer * to * inner);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const line = Float64Array.from({ length: from }, (_, k) => values[(o * from + k) * inner + i]!);
        resampleLine(line, to, order).forEach((value, k) => {
          next[(o * to + k) * inner + i] = value;
        });
      }
    }
    values = next;
    extents[axis] = to;
  }
  for (let c = 0; c < channels; c++) {
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = c; i < input.length; i += channels) {
      min = Math.min(min, input[i]!);
      max = Math.max(max, input[i]!);
    }
    for (let i = c; i < output.length; i += channels) output[i] = Math.min(Math.max(values[i]!, min), max);
  }
}
