import * as tf from "@tensorflow/tfjs-core";
import type { KernelArguments, KernelBody, KernelTable } from "./kernel-table.js";

// The numbers are the enum of native/simd/tensor/reduce.h.
const OPS = { sum: 0, max: 1, min: 2, prod: 3 } as const;

interface Pass {
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

/** Reduces neighboring axes together, the last group first: each pass is `[outer, count, inner]`. */
function passes(shape: readonly number[], axes: readonly number[]): Pass[] {
  const result: Pass[] = [];
  const sizes = [...shape];
  const reduced = shape.map((_, d) => axes.includes(d));
  for (let d = sizes.length - 1; d >= 0; d--) {
    if (!reduced[d]) continue;
    let first = d;
    while (first > 0 && (reduced[first - 1] || sizes[first - 1] === 1)) first--;
    const size = (from: number, to: number) => sizes.slice(from, to).reduce((a, b) => a * b, 1);
    result.push({ outer: size(0, first), count: size(first, d + 1), inner: size(d + 1, sizes.length) });
    sizes.fill(1, first, d + 1);
    d = first;
  }
  return result;
}

type Reduce<T> = (x: T, y: T, outer: number, count: number, inner: number) => void;

/** Reduces int32 or bool values along `axes`, in passes through small intermediate arrays. */
function reduceValues<T extends Int32Array | Uint8Array>(
  { attrs, backend }: KernelArguments,
  x: tf.TensorInfo,
  dtype: "int32" | "bool",
  axes: readonly number[],
  reduce: Reduce<T>,
): tf.TensorInfo {
  const y = backend.output(reducedShape(x.shape, axes, attrs.keepDims), dtype);
  let values = backend.values(x) as T;
  const plan = passes(x.shape, axes);
  if (plan.length === 0) y.values.set(values);
  plan.forEach(({ outer, count, inner }, i) => {
    const to = (i === plan.length - 1 ? y.values : new (values.constructor as Int32ArrayConstructor)(outer * inner)) as T;
    reduce(values, to, outer, count, inner);
    values = to;
  });
  return y.info;
}

function reducedShape(shape: readonly number[], axes: readonly number[], keepsDims: boolean): number[] {
  return keepsDims ? shape.map((size, d) => (axes.includes(d) ? 1 : size)) : shape.filter((_, d) => !axes.includes(d));
}

function anyOrAll(all: number): KernelBody {
  return (args) => {
    const x = args.inputs.x as tf.TensorInfo;
    if (x.dtype !== "bool") return undefined;
    const axes = tf.util.parseAxisParam(args.attrs.axis, x.shape);
    return reduceValues<Uint8Array>(args, x, "bool", axes, (...pass) => args.backend.addon.anyOrAll(all, ...pass));
  };
}

function reduction(op: number, axisAttribute: string, isMean = false): KernelBody {
  return (args) => {
    const { inputs, attrs, backend } = args;
    const x = inputs.x as tf.TensorInfo;
    if (x.dtype === "int32" && !isMean) {
      const over = tf.util.parseAxisParam(attrs[axisAttribute], x.shape);
      return reduceValues<Int32Array>(args, x, "int32", over, (...pass) => backend.addon.integerReduce(op, ...pass));
    }
    if (x.dtype !== "float32") return undefined;
    const axes = tf.util.parseAxisParam(attrs[axisAttribute], x.shape);
    const y = backend.outputFloats(reducedShape(x.shape, axes, attrs.keepDims));
    let values = backend.floats(x);
    const plan = passes(x.shape, axes);
    if (plan.length === 0) y.values.set(values);
    plan.forEach(({ outer, count, inner }, i) => {
      const to = i === plan.length - 1 ? y.values : new Float32Array(outer * inner);
      backend.addon.reduce(op, values, to, outer, count, inner);
      values = to;
    });
    if (isMean) {
      const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
      for (let i = 0; i < y.values.length; i++) y.values[i] = y.values[i]! / count;
    }
    return y.info;
  };
}

function argBest(isMin: number): KernelBody {
  return ({ inputs, attrs, backend }) => {
    const x = inputs.x as tf.TensorInfo;
    const axes = tf.util.parseAxisParam(attrs.axis, x.shape);
    if ((x.dtype !== "float32" && x.dtype !== "int32") || axes.length !== 1) return undefined;
    const axis = axes[0]!;
    const y = backend.output(reducedShape(x.shape, axes, false), "int32");
    const outer = tf.util.sizeFromShape(x.shape.slice(0, axis));
    const inner = tf.util.sizeFromShape(x.shape.slice(axis + 1));
    const to = y.values as Int32Array;
    if (x.dtype === "float32" && isMin === 0) backend.addon.argMax(backend.floats(x), to, outer, x.shape[axis]!, inner);
    else backend.addon.argBest(isMin, backend.values(x) as Float32Array, to, outer, x.shape[axis]!, inner);
    return y.info;
  };
}

function softmax(axisAttribute: string, logarithm: number): KernelBody {
  return ({ inputs, attrs, backend }) => {
    const x = inputs.logits as tf.TensorInfo;
    const axes = tf.util.parseAxisParam(attrs[axisAttribute], x.shape);
    if (x.dtype !== "float32" || axes.length !== 1 || axes[0] !== x.shape.length - 1) return undefined;
    const channels = x.shape.at(-1)!;
    if (channels === 0) return undefined;
    const y = backend.outputFloats(x.shape);
    backend.addon.softmax(backend.floats(x), y.values, y.values.length / channels, channels, logarithm);
    return y.info;
  };
}

export const reductionKernels: KernelTable = {
  Sum: reduction(OPS.sum, "axis"),
  Mean: reduction(OPS.sum, "axis", true),
  Max: reduction(OPS.max, "reductionIndices"),
  Min: reduction(OPS.min, "axis"),
  Prod: reduction(OPS.prod, "axis"),
  ArgMax: argBest(0),
  ArgMin: argBest(1),
  Any: anyOrAll(0),
  All: anyOrAll(1),
  Softmax: softmax("dim", 0),
  LogSoftmax: softmax("axis", 1),
};
