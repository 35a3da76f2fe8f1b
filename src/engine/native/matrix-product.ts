import * as tf from "@tensorflow/tfjs-core";
import { ACTIVATIONS } from "./convolution.js";
import type { KernelArguments, KernelTable } from "./kernel-table.js";

interface Epilogue {
  readonly bias: Float32Array | null;
  readonly activation: number;
  readonly alpha: number;
}

/** The product of two stacks of matrices; a stack of one serves all of the other. */
function product({ inputs, attrs, backend }: KernelArguments, { bias, activation, alpha }: Epilogue): tf.TensorInfo | undefined {
  const { a, b } = inputs as Record<string, tf.TensorInfo>;
  if (a!.dtype !== "float32" || b!.dtype !== "float32") return undefined;
  const { transposeA, transposeB } = attrs;
  if (a!.shape.length < 2 || b!.shape.length < 2) return undefined;
  const [outerA, outerB] = [a!.shape.slice(0, -2), b!.shape.slice(0, -2)];
  const [batchA, batchB] = [tf.util.sizeFromShape(outerA), tf.util.sizeFromShape(outerB)];
  if (batchA !== batchB && batchA !== 1 && batchB !== 1) return undefined;
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  const batch = tf.util.sizeFromShape(outer);
  if (batch !== Math.max(batchA, batchB) && batchA * batchB > 0) return undefined;
  const [m, k] = order(a!.shape, transposeA);
  const [, n] = order(b!.shape, transposeB);
  if (bias && bias.length !== n) return undefined;
  const y = backend.outputFloats([...outer, m, n]);
  const left = backend.floats(a!);
  const right = backend.floats(b!);
  // Rows of the matrix are voxels of a 1x1x1 convolution; height is what threads share.
  const height = rowsFor(m);
  const geometry = Float64Array.of(1, 1, height, m / height, k, 1, 1, 1, n, 1, height, m / height, 1, 1, 1, 1, 1, 1, 0, 0, 0);
  for (let i = 0; i < batch; i++) {
    const [pi, qi] = [batchA === 1 ? 0 : i, batchB === 1 ? 0 : i];
    let p = left.subarray(pi * m * k, (pi + 1) * m * k);
    let q = right.subarray(qi * k * n, (qi + 1) * k * n);
    if (transposeA) p = turned(backend, p, k, m);
    if (transposeB) q = turned(backend, q, n, k);
    backend.addon.convForward(p, q, bias, y.values.subarray(i * m * n, (i + 1) * m * n), geometry, activation, alpha);
  }
  return y.info;
}

function order(shape: number[], turned: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return turned ? [columns, rows] : [rows, columns];
}

function rowsFor(m: number): number {
  for (let height = Math.min(64, m); height > 1; height--) if (m % height === 0) return height;
  return 1;
}

/** [rows, columns] to [columns, rows]. */
function turned(backend: KernelArguments["backend"], x: Float32Array, rows: number, columns: number): Float32Array {
  const y = new Float32Array(x.length);
  backend.addon.stridedCopy(x, y, Float64Array.of(2, 0, 0, columns, rows, 1, columns, rows, 1));
  return y;
}

export const matrixProductKernels: KernelTable = {
  BatchMatMul: (args) => product(args, { bias: null, activation: 0, alpha: 0 }),
  _FusedMatMul(args) {
    const { bias, preluActivationWeights } = args.inputs;
    const activation = ACTIVATIONS[args.attrs.activation ?? "linear"];
    if (activation === undefined || preluActivationWeights || (bias && bias.dtype !== "float32")) return undefined;
    return product(args, { bias: bias ? args.backend.floats(bias) : null, activation, alpha: args.attrs.leakyreluAlpha ?? 0 });
  },
};
