import * as tf from "@tensorflow/tfjs-core";
import { broadcastShape } from "./broadcast-shape.js";
import type { Elements } from "./elements.js";
import type { KernelArguments, KernelBody, KernelTable } from "./kernel-table.js";

// The numbers are the enums of native/simd/elementwise.h.
const UNARY = [
  "Neg",
  "Abs",
  "Square",
  "Sqrt",
  "Rsqrt",
  "Reciprocal",
  "Exp",
  "Log",
  "Relu",
  "Relu6",
  "LeakyRelu",
  "Elu",
  "Sigmoid",
  "Tanh",
  "Softplus",
];
const MORE_UNARY = ["Sign", "Floor", "Ceil", "Step", "ClipByValue"];
const BINARY = ["Add", "Sub", "Multiply", "RealDiv", "Maximum", "Minimum", "SquaredDifference"];
const COMPARE = ["Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual"];

/** Operations that only our gradients use: `(dy, y)` for all, `(dy, x)` also for the first two. */
export const GRADIENT_OPS = { relu: 7, leakyRelu: 8, elu: 9, sigmoid: 10, tanh: 11 } as const;
const PRELU = 12;
const POW = 13;

function unary(op: number): KernelBody {
  return ({ inputs, attrs, backend }) => {
    const x = inputs.x as tf.TensorInfo;
    if (x.dtype !== "float32") return undefined;
    const y = backend.outputFloats(x.shape);
    const alpha = attrs?.alpha ?? attrs?.clipValueMin ?? 0;
    backend.addon.unary(op, backend.floats(x), y.values, alpha, attrs?.clipValueMax ?? 0);
    return y.info;
  };
}

export function binaryKernel(op: number, left = "a", right = "b"): KernelBody {
  return ({ inputs, attrs, backend }) => {
    const a = inputs[left] as tf.TensorInfo;
    const b = inputs[right] as tf.TensorInfo;
    if (a.dtype !== "float32" || b.dtype !== "float32") return undefined;
    const plan = broadcastShape(a.shape, b.shape);
    if (!plan) return undefined;
    const y = backend.outputFloats(plan.shape);
    backend.addon.binary(op, backend.floats(a), backend.floats(b), y.values, plan.numbers, attrs?.alpha ?? 0);
    return y.info;
  };
}

function compare(op: number): KernelBody {
  return ({ inputs, backend }) => {
    const { a, b } = inputs as Record<string, tf.TensorInfo>;
    if (a!.dtype !== "float32" || b!.dtype !== "float32") return undefined;
    const plan = broadcastShape(a!.shape, b!.shape);
    if (!plan) return undefined;
    const y = backend.output(plan.shape, "bool");
    backend.addon.compare(op, backend.floats(a!), backend.floats(b!), y.values as Uint8Array, plan.numbers);
    return y.info;
  };
}

function select({ inputs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const { condition, t, e } = inputs as Record<string, tf.TensorInfo>;
  if (t!.dtype !== "float32" || e!.dtype !== "float32" || condition!.dtype !== "bool") return undefined;
  // A condition of rank 1 chooses along the first dimension of t and e.
  const picksRows = condition!.shape.length === 1 && t!.shape.length > 1;
  const shape = picksRows ? [condition!.shape[0]!, ...t!.shape.slice(1).map(() => 1)] : condition!.shape;
  const plan = broadcastShape(t!.shape, e!.shape, shape);
  if (!plan || !tf.util.arraysEqual(plan.shape, t!.shape)) return undefined;
  const y = backend.outputFloats(plan.shape);
  backend.addon.select(backend.values(condition!) as Uint8Array, backend.floats(t!), backend.floats(e!), y.values, plan.numbers);
  return y.info;
}

function addN({ inputs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const terms = Object.values(inputs) as tf.TensorInfo[];
  if (terms.some((term) => term.dtype !== "float32")) return undefined;
  const y = backend.outputFloats(terms[0]!.shape);
  y.values.set(backend.floats(terms[0]!));
  for (const term of terms.slice(1)) backend.addon.accumulate(backend.floats(term), y.values);
  return y.info;
}

function cast({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const x = inputs.x as tf.TensorInfo;
  const to = attrs.dtype as string;
  if (to === x.dtype) {
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  }
  if (![x.dtype, to].every((dtype) => dtype === "float32" || dtype === "int32" || dtype === "bool")) return undefined;
  const from = backend.values(x);
  const y = backend.output(x.shape, to as "float32");
  if (to === "bool") fillTruth(from, y.values);
  else y.values.set(from);
  return y.info;
}

function fillTruth(from: Elements, to: Elements): void {
  for (let i = 0; i < to.length; i++) to[i] = from[i] ? 1 : Number.isNaN(from[i]!) ? 1 : 0;
}

function fill({ attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const dtype = attrs.dtype || tf.util.inferDtype(attrs.value);
  if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool") return undefined;
  const y = backend.output(attrs.shape, dtype);
  y.values.fill(attrs.value);
  return y.info;
}

function like(value: number): KernelBody {
  return ({ inputs, backend }) => {
    const x = inputs.x as tf.TensorInfo;
    if (x.dtype !== "float32" && x.dtype !== "int32" && x.dtype !== "bool") return undefined;
    const y = backend.output(x.shape, x.dtype);
    y.values.fill(value);
    return y.info;
  };
}

function oneHot({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const indices = inputs.indices as tf.TensorInfo;
  const { depth, onValue, offValue } = attrs;
  const dtype = attrs.dtype ?? "int32";
  if (dtype !== "float32" && dtype !== "int32") return undefined;
  const from = backend.values(indices);
  const y = backend.output([...indices.shape, depth], dtype);
  y.values.fill(offValue);
  for (let i = 0; i < from.length; i++) if (from[i]! >= 0 && from[i]! < depth) y.values[i * depth + from[i]!] = onValue;
  return y.info;
}

export const elementwiseKernels: KernelTable = {
  ...Object.fromEntries([...UNARY, ...MORE_UNARY].map((name, op) => [name, unary(op)])),
  ...Object.fromEntries(BINARY.map((name, op) => [name, binaryKernel(op)])),
  ...Object.fromEntries(COMPARE.map((name, op) => [name, compare(op)])),
  Prelu: binaryKernel(PRELU, "x", "alpha"),
  Pow: binaryKernel(POW),
  EluGrad: binaryKernel(GRADIENT_OPS.elu, "dy", "y"),
  Select: select,
  AddN: addN,
  Cast: cast,
  Fill: fill,
  ZerosLike: like(0),
  OnesLike: like(1),
  OneHot: oneHot,
};
