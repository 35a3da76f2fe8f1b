import * as tf from "@tensorflow/tfjs-core";
import type { KernelArguments, KernelBody, KernelTable } from "./kernel-table.js";

// The numbers are the enum of native/simd/reduce.h.
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

function reduction(op: number, axisAttribute: string, isMean = false): KernelBody {
  return ({ inputs, attrs, backend }) => {
    const x = inputs.x as tf.TensorInfo;
    if (x.dtype !== "float32") return undefined;
    const axes = tf.util.parseAxisParam(attrs[axisAttribute], x.shape);
    const keptShape = x.shape.map((size, d) => (axes.includes(d) ? 1 : size));
    const shape = attrs.keepDims ? keptShape : x.shape.filter((_, d) => !axes.includes(d));
    const y = backend.outputFloats(shape);
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

function argMax({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const x = inputs.x as tf.TensorInfo;
  const axes = tf.util.parseAxisParam(attrs.axis, x.shape);
  if (x.dtype !== "float32" || axes.length !== 1) return undefined;
  const axis = axes[0]!;
  const y = backend.output(
    x.shape.filter((_, d) => d !== axis),
    "int32",
  );
  const [pass] = [{ outer: x.shape.slice(0, axis), inner: x.shape.slice(axis + 1) }];
  const size = tf.util.sizeFromShape;
  backend.addon.argMax(backend.floats(x), y.values as Int32Array, size(pass!.outer), x.shape[axis]!, size(pass!.inner));
  return y.info;
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
  ArgMax: argMax,
  Softmax: softmax("dim", 0),
  LogSoftmax: softmax("axis", 1),
};
