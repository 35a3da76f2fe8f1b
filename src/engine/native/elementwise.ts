import * as tf from "@tensorflow/tfjs-core";
import { broadcastShape } from "./broadcast-shape.js";
import type { KernelArguments, KernelBody, KernelTable } from "./kernel-table.js";

// The numbers are the enums of native/simd/tensor/elementwise.h.
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
// After one that only the addon uses.
const RARE_UNARY = ["Selu", "Round", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Expm1", "Log1p", "Erf"];
const FIRST_RARE = UNARY.length + MORE_UNARY.length + 1;
const CLASSES = ["IsNan", "IsInf", "IsFinite"];
const BINARY = ["Add", "Sub", "Multiply", "RealDiv", "Maximum", "Minimum", "SquaredDifference"];
const COMPARE = ["Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual"];

/** Operations that only our gradients use: `(dy, y)` for all, `(dy, x)` also for the first two. */
export const GRADIENT_OPS = { relu: 7, leakyRelu: 8, elu: 9, sigmoid: 10, tanh: 11 } as const;
const PRELU = 12;
const POW = 13;
const RARE_BINARY = { FloorDiv: 14, Mod: 15, Atan2: 16 } as const;

// The numbers are the enums of native/simd/tensor/integer.h.
const INTEGER_UNARY: Readonly<Record<string, number>> = { Neg: 0, Abs: 1, Square: 2, Sign: 3, Relu: 4, ClipByValue: 5 };
const INTEGER_BINARY: Readonly<Record<string, number>> = {
  Add: 0,
  Sub: 1,
  Multiply: 2,
  Maximum: 3,
  Minimum: 4,
  SquaredDifference: 5,
  FloorDiv: 6,
  Mod: 7,
};
const LOGICAL = ["LogicalAnd", "LogicalOr"];

function unary(name: string, op: number): KernelBody {
  const integerOp = INTEGER_UNARY[name];
  return ({ inputs, attrs, backend }) => {
    const x = inputs.x as tf.TensorInfo;
    const alpha = attrs?.alpha ?? attrs?.clipValueMin ?? 0;
    const beta = attrs?.clipValueMax ?? 0;
    if (x.dtype === "int32" && integerOp !== undefined) {
      const y = backend.output(x.shape, "int32");
      backend.addon.integerUnary(integerOp, backend.values(x) as Int32Array, y.values as Int32Array, alpha, beta);
      return y.info;
    }
    if (x.dtype !== "float32") return undefined;
    const y = backend.outputFloats(x.shape);
    backend.addon.unary(op, backend.floats(x), y.values, alpha, beta);
    return y.info;
  };
}

function classify(what: number): KernelBody {
  return ({ inputs, backend }) => {
    const x = inputs.x as tf.TensorInfo;
    if (x.dtype !== "float32") return undefined;
    const y = backend.output(x.shape, "bool");
    backend.addon.classify(what, backend.floats(x), y.values as Uint8Array);
    return y.info;
  };
}

/** `integerOp` is the operation on int32, where there is one. */
export function binaryKernel(op: number, left = "a", right = "b", integerOp?: number): KernelBody {
  return ({ inputs, attrs, backend }) => {
    const a = inputs[left] as tf.TensorInfo;
    const b = inputs[right] as tf.TensorInfo;
    const isInteger = integerOp !== undefined && a.dtype === "int32" && b.dtype === "int32";
    if (!isInteger && (a.dtype !== "float32" || b.dtype !== "float32")) return undefined;
    const plan = broadcastShape(a.shape, b.shape);
    if (!plan) return undefined;
    if (isInteger) {
      const y = backend.output(plan.shape, "int32");
      const [p, q] = [backend.values(a) as Int32Array, backend.values(b) as Int32Array];
      backend.addon.integerBinary(integerOp, p, q, y.values as Int32Array, plan.numbers);
      return y.info;
    }
    const y = backend.outputFloats(plan.shape);
    backend.addon.binary(op, backend.floats(a), backend.floats(b), y.values, plan.numbers, attrs?.alpha ?? 0);
    return y.info;
  };
}

function compare(op: number): KernelBody {
  return ({ inputs, backend }) => {
    const { a, b } = inputs as Record<string, tf.TensorInfo>;
    const isInteger = a!.dtype === "int32" && b!.dtype === "int32";
    if (!isInteger && (a!.dtype !== "float32" || b!.dtype !== "float32")) return undefined;
    const plan = broadcastShape(a!.shape, b!.shape);
    if (!plan) return undefined;
    const y = backend.output(plan.shape, "bool");
    const to = y.values as Uint8Array;
    if (isInteger) backend.addon.integerCompare(op, backend.values(a!) as Int32Array, backend.values(b!) as Int32Array, to, plan.numbers);
    else backend.addon.compare(op, backend.floats(a!), backend.floats(b!), to, plan.numbers);
    return y.info;
  };
}

function logical(op: number): KernelBody {
  return ({ inputs, backend }) => {
    const { a, b } = inputs as Record<string, tf.TensorInfo>;
    if (a!.dtype !== "bool" || b!.dtype !== "bool") return undefined;
    const plan = broadcastShape(a!.shape, b!.shape);
    if (!plan) return undefined;
    const y = backend.output(plan.shape, "bool");
    backend.addon.logical(op, backend.values(a!) as Uint8Array, backend.values(b!) as Uint8Array, y.values as Uint8Array, plan.numbers);
    return y.info;
  };
}

const XOR = 2;
const TRUE = Uint8Array.of(1);

function logicalNot({ inputs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const x = inputs.x as tf.TensorInfo;
  if (x.dtype !== "bool") return undefined;
  const y = backend.output(x.shape, "bool");
  const plan = broadcastShape(x.shape, []);
  backend.addon.logical(XOR, backend.values(x) as Uint8Array, TRUE, y.values as Uint8Array, plan!.numbers);
  return y.info;
}

function select({ inputs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const { condition, t, e } = inputs as Record<string, tf.TensorInfo>;
  const dtype = t!.dtype;
  if (dtype !== e!.dtype || condition!.dtype !== "bool" || (dtype !== "float32" && dtype !== "int32" && dtype !== "bool")) return undefined;
  // A condition of rank 1 chooses along the first dimension of t and e.
  const picksRows = condition!.shape.length === 1 && t!.shape.length > 1;
  const shape = picksRows ? [condition!.shape[0]!, ...t!.shape.slice(1).map(() => 1)] : condition!.shape;
  const plan = broadcastShape(t!.shape, e!.shape, shape);
  if (!plan || !tf.util.arraysEqual(plan.shape, t!.shape)) return undefined;
  const y = backend.output(plan.shape, dtype);
  const [which, p, q] = [condition!, t!, e!].map((info) => backend.values(info));
  if (dtype === "bool") backend.addon.selectBytes(which as Uint8Array, p as Uint8Array, q as Uint8Array, y.values as Uint8Array, plan.numbers);
  else backend.addon.select(which as Uint8Array, p!, q!, y.values, plan.numbers);
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
  const y = backend.output(x.shape, to as "float32");
  backend.addon.castValues(backend.values(x), y.values);
  return y.info;
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
  if (indices.dtype !== "int32" || (dtype !== "float32" && dtype !== "int32")) return undefined;
  const y = backend.output([...indices.shape, depth], dtype);
  backend.addon.oneHotIndices(backend.values(indices) as Int32Array, y.values as Float32Array, depth, onValue, offValue);
  return y.info;
}

export const elementwiseKernels: KernelTable = {
  ...Object.fromEntries([...UNARY, ...MORE_UNARY].map((name, op) => [name, unary(name, op)])),
  ...Object.fromEntries(RARE_UNARY.map((name, i) => [name, unary(name, FIRST_RARE + i)])),
  ...Object.fromEntries(CLASSES.map((name, what) => [name, classify(what)])),
  ...Object.fromEntries(BINARY.map((name, op) => [name, binaryKernel(op, "a", "b", INTEGER_BINARY[name])])),
  ...Object.fromEntries(Object.entries(RARE_BINARY).map(([name, op]) => [name, binaryKernel(op, "a", "b", INTEGER_BINARY[name])])),
  ...Object.fromEntries(COMPARE.map((name, op) => [name, compare(op)])),
  ...Object.fromEntries(LOGICAL.map((name, op) => [name, logical(op)])),
  LogicalNot: logicalNot,
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
