import type { Triple } from "../../core/shape.js";
import type { LabelArray } from "../label-array.js";

/**
 * Squared distances along one line become those over one axis more: d(i) = min over j of f(j) + (i - j)²·step².
 *
 * @source Felzenszwalb, Huttenlocher 2012, Distance transforms of sampled functions, algorithm 1
 */
export function lowerEnvelope(f: Float64Array, step: number): Float64Array {
  const n = f.length;
  const result = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const vertices: number[] = [];
  const starts: number[] = [];
  for (let q = 0; q < n; q++) {
    if (f[q] === Number.POSITIVE_INFINITY) continue;
    let from = Number.NEGATIVE_INFINITY;
    while (vertices.length > 0) {
      const v = vertices[vertices.length - 1]!;
      from = ((f[q]! - f[v]!) / (step * step) + q * q - v * v) / (2 * (q - v));
      if (from > starts[starts.length - 1]!) break;
      vertices.pop();
      starts.pop();
      from = Number.NEGATIVE_INFINITY;
    }
    vertices.push(q);
    starts.push(from);
  }
  if (vertices.length === 0) return result;
  let k = 0;
  for (let i = 0; i < n; i++) {
    while (k + 1 < vertices.length && starts[k + 1]! < i) k++;
    const v = vertices[k]!;
    result[i] = f[v]! + ((i - v) * step) ** 2;
  }
  return result;
}

export function distanceTransformReference(mask: LabelArray, shape: Triple, output: Float32Array, spacing: Triple): void {
  const squares = Float64Array.from(mask, (label) => (label ? 0 : Number.POSITIVE_INFINITY));
  const strides = [shape[1] * shape[2], shape[2], 1];
  for (const axis of [2, 1, 0]) {
    const [extent, stride] = [shape[axis]!, strides[axis]!];
    for (let start = 0; start < squares.length; start++) {
      if (Math.floor(start / stride) % extent !== 0) continue;
      const line = Float64Array.from({ length: extent }, (_, k) => squares[start + k * stride]!);
      lowerEnvelope(line, spacing[axis]!).forEach((value, k) => {
        squares[start + k * stride] = value;
      });
    }
  }
  for (let i = 0; i < squares.length; i++) output[i] = Math.sqrt(squares[i]!);
}
