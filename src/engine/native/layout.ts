import * as tf from "@tensorflow/tfjs-core";
import type { Elements } from "./elements.js";
import type { KernelArguments, KernelTable } from "./kernel-table.js";
import type { NativeBackend } from "./native-backend.js";

type Dtype = "float32" | "int32" | "bool";

interface StridedCopy {
  readonly sizes: readonly number[];
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly fromStart?: number;
  readonly toStart?: number;
}

/** Copies a strided view; neighboring dimensions that lie densely on both sides are merged, so that rows are long. */
function copy(backend: NativeBackend, source: Elements, target: Elements, { sizes, from, to, fromStart = 0, toStart = 0 }: StridedCopy): void {
  const s: number[] = [];
  const f: number[] = [];
  const t: number[] = [];
  sizes.forEach((size, d) => {
    if (size === 1) return;
    const last = s.length - 1;
    if (last >= 0 && f[last] === from[d]! * size && t[last] === to[d]! * size) {
      s[last] = s[last]! * size;
      f[last] = from[d]!;
      t[last] = to[d]!;
    } else {
      s.push(size);
      f.push(from[d]!);
      t.push(to[d]!);
    }
  });
  if (s.length === 0) {
    s.push(1);
    f.push(1);
    t.push(1);
  }
  backend.addon.stridedCopy(source, target, Float64Array.from([s.length, fromStart, toStart, ...s, ...f, ...t]));
}

function dense(shape: readonly number[]): number[] {
  const strides: number[] = new Array(shape.length).fill(1);
  for (let d = shape.length - 2; d >= 0; d--) strides[d] = strides[d + 1]! * shape[d + 1]!;
  return strides;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function isCovered(...infos: tf.TensorInfo[]): boolean {
  return infos.every(({ dtype, shape }) => (dtype === "float32" || dtype === "int32" || dtype === "bool") && shape.length <= 6);
}

function slice({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const x = inputs.x as tf.TensorInfo;
  if (!isCovered(x)) return undefined;
  const [begin, size] = tf.slice_util.parseSliceParams(x as tf.Tensor, attrs.begin, attrs.size);
  tf.slice_util.assertParamsValid(x, begin!, size!);
  const y = backend.output(size!, x.dtype as Dtype);
  const strides = dense(x.shape);
  copy(backend, backend.values(x), y.values, { sizes: size!, from: strides, to: dense(size!), fromStart: dot(begin!, strides) });
  return y.info;
}

function pad({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const x = inputs.x as tf.TensorInfo;
  if (!isCovered(x)) return undefined;
  const paddings = attrs.paddings as [number, number][];
  const shape = x.shape.map((size, d) => size + paddings[d]![0] + paddings[d]![1]);
  const y = backend.output(shape, x.dtype as Dtype);
  y.values.fill(attrs.constantValue);
  const strides = dense(shape);
  const toStart = dot(
    paddings.map(([before]) => before),
    strides,
  );
  copy(backend, backend.values(x), y.values, { sizes: x.shape, from: dense(x.shape), to: strides, toStart });
  return y.info;
}

function concat({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const parts = (Object.values(inputs) as tf.TensorInfo[]).filter((part) => tf.util.sizeFromShape(part.shape) > 0);
  if (parts.length < 2 || !isCovered(...parts) || parts.some((part) => part.dtype !== parts[0]!.dtype)) return undefined;
  const axis = tf.util.parseAxisParam(attrs.axis, parts[0]!.shape)[0]!;
  tf.backend_util.assertParamsConsistent(
    parts.map((part) => part.shape),
    axis,
  );
  const shape = tf.backend_util.computeOutShape(
    parts.map((part) => part.shape),
    axis,
  );
  const y = backend.output(shape, parts[0]!.dtype as Dtype);
  const strides = dense(shape);
  let toStart = 0;
  for (const part of parts) {
    copy(backend, backend.values(part), y.values, { sizes: part.shape, from: dense(part.shape), to: strides, toStart });
    toStart += part.shape[axis]! * strides[axis]!;
  }
  return y.info;
}

function split({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo[] | undefined {
  const x = inputs.x as tf.TensorInfo;
  if (!isCovered(x)) return undefined;
  const axis = tf.util.parseAxisParam(attrs.axis, x.shape)[0]!;
  const strides = dense(x.shape);
  let fromStart = 0;
  return tf.backend_util.prepareSplitSize(x as tf.Tensor, attrs.numOrSizeSplits, axis).map((extent) => {
    const shape = x.shape.map((size, d) => (d === axis ? extent : size));
    const y = backend.output(shape, x.dtype as Dtype);
    copy(backend, backend.values(x), y.values, { sizes: shape, from: strides, to: dense(shape), fromStart });
    fromStart += extent * strides[axis]!;
    return y.info;
  });
}

function transpose({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const x = inputs.x as tf.TensorInfo;
  if (!isCovered(x)) return undefined;
  const perm = attrs.perm as number[];
  const shape = perm.map((d) => x.shape[d]!);
  const strides = dense(x.shape);
  const y = backend.output(shape, x.dtype as Dtype);
  copy(backend, backend.values(x), y.values, { sizes: shape, from: perm.map((d) => strides[d]!), to: dense(shape) });
  return y.info;
}

function reverse({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const x = inputs.x as tf.TensorInfo;
  if (!isCovered(x) || x.shape.length === 0) return undefined;
  const axes = tf.util.parseAxisParam(attrs.dims, x.shape);
  const strides = dense(x.shape);
  const y = backend.output(x.shape, x.dtype as Dtype);
  const fromStart = axes.reduce((sum, d) => sum + Math.max(0, x.shape[d]! - 1) * strides[d]!, 0);
  const from = strides.map((stride, d) => (axes.includes(d) ? -stride : stride));
  copy(backend, backend.values(x), y.values, { sizes: x.shape, from, to: strides, fromStart });
  return y.info;
}

function tile({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const x = inputs.x as tf.TensorInfo;
  const reps = attrs.reps as number[];
  if (!isCovered(x) || x.shape.length === 0) return undefined;
  const shape = x.shape.map((size, d) => size * reps[d]!);
  // Each repeated dimension is two: the repetition, which does not move the source, and the extent.
  const strides = dense(x.shape);
  const targets = dense(shape);
  const sizes: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  x.shape.forEach((size, d) => {
    if (reps[d] !== 1) {
      sizes.push(reps[d]!);
      from.push(0);
      to.push(targets[d]! * size);
    }
    sizes.push(size);
    from.push(strides[d]!);
    to.push(targets[d]!);
  });
  if (sizes.filter((size) => size !== 1).length > 8) return undefined;
  const y = backend.output(shape, x.dtype as Dtype);
  copy(backend, backend.values(x), y.values, { sizes, from, to });
  return y.info;
}

function pack({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const parts = Object.values(inputs) as tf.TensorInfo[];
  if (parts.length < 2 || !isCovered(...parts) || parts[0]!.shape.length > 5 || parts.some((part) => part.dtype !== parts[0]!.dtype))
    return undefined;
  const one = parts[0]!.shape;
  const axis = attrs.axis < 0 ? attrs.axis + one.length + 1 : attrs.axis;
  const shape = [...one.slice(0, axis), parts.length, ...one.slice(axis)];
  const y = backend.output(shape, parts[0]!.dtype as Dtype);
  const strides = dense(shape);
  const to = strides.filter((_, d) => d !== axis);
  for (const [i, part] of parts.entries()) {
    copy(backend, backend.values(part), y.values, { sizes: one, from: dense(one), to, toStart: i * strides[axis]! });
  }
  return y.info;
}

function unpack({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo[] | undefined {
  const x = inputs.value as tf.TensorInfo;
  if (!isCovered(x)) return undefined;
  const axis = attrs.axis < 0 ? attrs.axis + x.shape.length : attrs.axis;
  const strides = dense(x.shape);
  const shape = x.shape.filter((_, d) => d !== axis);
  const from = strides.filter((_, d) => d !== axis);
  return Array.from({ length: x.shape[axis]! }, (_, i) => {
    const y = backend.output(shape, x.dtype as Dtype);
    copy(backend, backend.values(x), y.values, { sizes: shape, from, to: dense(shape), fromStart: i * strides[axis]! });
    return y.info;
  });
}

function stridedSlice({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const x = inputs.x as tf.TensorInfo;
  if (!isCovered(x)) return undefined;
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attrs;
  const plan = tf.slice_util.sliceInfo(x.shape, begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask);
  // Before dimensions are added or dropped, which moves nothing.
  const shape = tf.slice_util.computeOutShape(plan.begin, plan.end, plan.strides);
  const y = backend.output(plan.finalShape, x.dtype as Dtype);
  if (y.values.length === 0) return y.info;
  const from = dense(x.shape);
  const steps = from.map((stride, d) => stride * plan.strides[d]!);
  copy(backend, backend.values(x), y.values, { sizes: shape, from: steps, to: dense(shape), fromStart: dot(plan.begin, from) });
  return y.info;
}

export const layoutKernels: KernelTable = {
  Slice: slice,
  StridedSlice: stridedSlice,
  PadV2: pad,
  Concat: concat,
  SplitV: split,
  Transpose: transpose,
  Reverse: reverse,
  Tile: tile,
  Pack: pack,
  Unpack: unpack,
};
