/** A sparse matrix by rows: row i has the weights `[starts[i], starts[i + 1])`. */
export interface AxisMatrix {
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly weights: Float32Array;
}

const known = new Map<string, AxisMatrix>();

/** The matrix that enlarges an axis of `size` by `factor`, or its transpose (the gradient). */
export function axisMatrix(size: number, factor: number, interpolation: "nearest" | "linear", isTransposed: boolean): AxisMatrix {
  const key = `${size} ${factor} ${interpolation} ${isTransposed}`;
  let matrix = known.get(key);
  if (!matrix) {
    matrix = build(size, factor, interpolation, isTransposed);
    known.set(key, matrix);
  }
  return matrix;
}

function build(size: number, factor: number, interpolation: "nearest" | "linear", isTransposed: boolean): AxisMatrix {
  const rows: [index: number, weight: number][][] = Array.from({ length: isTransposed ? size : size * factor }, () => []);
  const put = (to: number, from: number, weight: number) => {
    if (weight === 0) return;
    if (isTransposed) rows[from]!.push([to, weight]);
    else rows[to]!.push([from, weight]);
  };
  for (let i = 0; i < size * factor; i++) {
    if (interpolation === "nearest") {
      put(i, Math.floor(i / factor), 1);
      continue;
    }
    const at = Math.min(size - 1, Math.max(0, (i + 0.5) / factor - 0.5));
    const low = Math.floor(at);
    put(i, low, 1 - (at - low));
    if (low + 1 < size) put(i, low + 1, at - low);
  }
  const starts = new Int32Array(rows.length + 1);
  rows.forEach((row, i) => {
    starts[i + 1] = starts[i]! + row.length;
  });
  const entries = rows.flat();
  return { starts, indices: Int32Array.from(entries, ([index]) => index), weights: Float32Array.from(entries, ([, weight]) => weight) };
}
