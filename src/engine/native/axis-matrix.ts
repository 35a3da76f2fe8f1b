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
  return sparseMatrix(isTransposed ? size : size * factor, (putEntry) => {
    const put = (to: number, from: number, weight: number) => (isTransposed ? putEntry(from, to, weight) : putEntry(to, from, weight));
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
  });
}

/** A matrix of so many rows from its entries, which `fill` puts in any order of rows; zeros are left out. */
export function sparseMatrix(size: number, fill: (put: (row: number, index: number, weight: number) => void) => void): AxisMatrix {
  const rows: [index: number, weight: number][][] = Array.from({ length: size }, () => []);
  fill((row, index, weight) => {
    if (weight !== 0) rows[row]!.push([index, weight]);
  });
  const starts = new Int32Array(rows.length + 1);
  rows.forEach((row, i) => {
    starts[i + 1] = starts[i]! + row.length;
  });
  const entries = rows.flat();
  return { starts, indices: Int32Array.from(entries, ([index]) => index), weights: Float32Array.from(entries, ([, weight]) => weight) };
}
