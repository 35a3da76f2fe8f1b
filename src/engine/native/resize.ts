import * as tf from "@tensorflow/tfjs-core";
import { type AxisMatrix, sparseMatrix } from "./axis-matrix.js";
import type { KernelArguments, KernelBody, KernelTable } from "./kernel-table.js";

interface Grid {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** Where output `i` of an axis lies on an input axis of `from` voxels, by TensorFlow's rules. */
function placeOf(i: number, from: number, to: number, { alignCorners, halfPixelCenters }: Grid, offset: number): number {
  const isAligned = alignCorners && to > 1;
  const ratio = (isAligned ? from - 1 : from) / (isAligned ? to - 1 : to);
  return halfPixelCenters ? ratio * (i + 0.5) - offset : ratio * i;
}

type Weights = (i: number, from: number, to: number, grid: Grid) => readonly (readonly [index: number, weight: number])[];

const bilinear: Weights = (i, from, to, grid) => {
  const at = placeOf(i, from, to, grid, 0.5);
  const low = Math.max(0, Math.floor(at));
  const high = Math.min(from - 1, Math.ceil(at));
  return low === high
    ? [[low, 1]]
    : high < low
      ? [[high, 1]]
      : [
          [low, 1 - (at - low)],
          [high, at - low],
        ];
};

const nearest: Weights = (i, from, to, grid) => {
  const at = placeOf(i, from, to, grid, 0);
  return [[Math.max(0, Math.min(from - 1, grid.alignCorners ? Math.round(at) : Math.floor(at))), 1]];
};

function matrixOf(weights: Weights, from: number, to: number, grid: Grid, isTransposed: boolean): AxisMatrix {
  const rows = Array.from({ length: to }, (_, i) => weights(i, from, to, grid));
  return sparseMatrix(isTransposed ? from : to, (put) => {
    rows.forEach((row, i) => {
      for (const [index, weight] of row) put(isTransposed ? index : i, isTransposed ? i : index, weight);
    });
  });
}

/** Height, then width; a gradient is the transposed matrix of each axis. */
function resize(weights: Weights, isGradient: boolean): KernelBody {
  return ({ inputs, attrs, backend }: KernelArguments) => {
    const images = inputs.images as tf.TensorInfo;
    const x = (isGradient ? inputs.dy : images) as tf.TensorInfo;
    if (x.dtype !== "float32" || tf.util.sizeFromShape(x.shape) === 0) return undefined;
    const [batch, , , channels] = x.shape as [number, number, number, number];
    const [height, width] = isGradient ? images.shape.slice(1, 3) : (attrs.size as number[]);
    const grid: Grid = { alignCorners: attrs.alignCorners ?? false, halfPixelCenters: attrs.halfPixelCenters ?? false };
    const [rows, columns] = x.shape.slice(1, 3) as [number, number];
    const matrix = (from: number, to: number) => (isGradient ? matrixOf(weights, to, from, grid, true) : matrixOf(weights, from, to, grid, false));
    const [down, across] = [matrix(rows, height!), matrix(columns, width!)];
    const middle = backend.outputFloats([batch, height!, columns, channels]);
    const args = (m: AxisMatrix) => [m.starts, m.indices, m.weights] as const;
    backend.addon.applyAxis(backend.floats(x), middle.values, batch, rows, height!, columns * channels, ...args(down));
    const y = backend.outputFloats([batch, height!, width!, channels]);
    backend.addon.applyAxis(middle.values, y.values, batch * height!, columns, width!, channels, ...args(across));
    backend.disposeIntermediateTensorInfo(middle.info);
    return y.info;
  };
}

export const resizeKernels: KernelTable = {
  ResizeBilinear: resize(bilinear, false),
  ResizeBilinearGrad: resize(bilinear, true),
  ResizeNearestNeighbor: resize(nearest, false),
  ResizeNearestNeighborGrad: resize(nearest, true),
};
