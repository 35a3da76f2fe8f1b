import * as tf from "@tensorflow/tfjs-core";

/** One stock kernel, run with other inputs or attributes than it was called with. */
type Run = (inputs: Readonly<Record<string, tf.TensorInfo>>, attrs?: object) => tf.TensorInfo;

interface Call {
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  // Attributes are what each operation documents; TensorFlow.js types them as a union that fits none of them.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly attrs: any;
  readonly backend: tf.KernelBackend;
  readonly run: Run;
}

type Body = (call: Call) => tf.TensorInfo;

/** Ranks that the stock kernels index by vectors of WGSL. */
const LAST_STOCK_RANK = 4;

const BINARY = [
  ...["Add", "Sub", "Multiply", "RealDiv", "Maximum", "Minimum", "Pow", "SquaredDifference", "Prelu", "FloorDiv", "Mod"],
  ...["Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual", "LogicalAnd", "LogicalOr"],
];

/** The same values under another shape. */
function as(x: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
  return { dataId: x.dataId, dtype: x.dtype, shape: [...shape] };
}

const size = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** Brings the operand of lower rank to that of the other: the stock kernel indexes it wrongly, and gives zeros. */
const binary: Body = ({ inputs, run }) => {
  const rank = Math.max(...Object.values(inputs).map(({ shape }) => shape.length));
  const raised = Object.entries(inputs).map(([name, x]) => [name, as(x, [...Array<number>(rank - x.shape.length).fill(1), ...x.shape])]);
  return run(Object.fromEntries(raised) as Record<string, tf.TensorInfo>);
};

const select: Body = ({ inputs, run }) => {
  const { condition, t, e } = inputs;
  const flat = [size(t!.shape)];
  return as(run({ condition: as(condition!, flat), t: as(t!, flat), e: as(e!, flat) }), t!.shape);
};

/** Does to one axis after the other, with those before and behind it as one, what the stock kernel does only up to rank 4. */
function axisByAxis(
  { inputs: { x }, backend, run }: Call,
  axes: readonly number[],
  attrsOf: (axis: number, around: readonly [number, number, number]) => object,
): tf.TensorInfo {
  let current = x!;
  for (const axis of axes) {
    const around = [size(current.shape.slice(0, axis)), current.shape[axis]!, size(current.shape.slice(axis + 1))] as const;
    const next = run({ x: as(current, around) }, attrsOf(axis, around));
    if (current !== x) backend.disposeData(current.dataId);
    current = as(next, current.shape.with(axis, next.shape[1]!));
  }
  if (current === x) backend.incRef(current.dataId);
  return as(current, current.shape);
}

const pad: Body = (call) => {
  const { paddings, ...others } = call.attrs as { paddings: [number, number][] };
  const axes = paddings.flatMap(([before, behind], axis) => (before > 0 || behind > 0 ? [axis] : []));
  return axisByAxis(call, axes, (axis) => ({ ...others, paddings: [[0, 0], paddings[axis], [0, 0]] }));
};

const reverse: Body = (call) => axisByAxis(call, tf.util.parseAxisParam(call.attrs.dims, call.inputs.x!.shape), () => ({ dims: [1] }));

const stridedSlice: Body = (call) => {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = call.attrs;
  if (ellipsisMask || newAxisMask || shrinkAxisMask)
    throw new Error("stridedSlice: masks of ellipsis, new and dropped axes have no kernel of rank 5");
  const { shape } = call.inputs.x!;
  const cut = shape.flatMap((extent, axis) => (strides[axis] !== 1 || begin[axis] !== 0 || end[axis] !== extent ? [axis] : []));
  const bit = (mask: number, axis: number): number => ((mask >> axis) & 1) << 1;
  return axisByAxis(call, cut, (axis, [before, , behind]) => ({
    begin: [0, begin[axis], 0],
    end: [before, end[axis], behind],
    strides: [1, strides[axis], 1],
    beginMask: bit(beginMask, axis),
    endMask: bit(endMask, axis),
    ellipsisMask: 0,
    newAxisMask: 0,
    shrinkAxisMask: 0,
  }));
};

const cumulative: Body = ({ inputs: { x }, attrs, run }) => {
  const { shape } = x!;
  const [axis] = tf.util.parseAxisParam([attrs.axis], shape) as [number];
  const around = [size(shape.slice(0, axis)), shape[axis]!, size(shape.slice(axis + 1))];
  return as(run({ x: as(x!, around) }, { ...attrs, axis: 1 }), shape);
};

/**
 * Kernels for tensors of rank 5 and more around the stock ones of TensorFlow.js 4.22, which refuse them or give zeros.
 *
 * @param stock the kernels of the backend, by name
 */
export function rankFiveKernels(stock: ReadonlyMap<string, tf.KernelFunc>): Record<string, tf.KernelFunc> {
  const wrapped = (name: string, body: Body): tf.KernelFunc => {
    const kernel = stock.get(name)!;
    return (params) => {
      const inputs = params.inputs as Readonly<Record<string, tf.TensorInfo>>;
      if (Object.values(inputs).every(({ shape }) => shape.length <= LAST_STOCK_RANK)) return kernel(params);
      const run: Run = (others, attrs) =>
        kernel({ ...params, inputs: others as unknown as tf.NamedTensorInfoMap, ...(attrs && { attrs: attrs as tf.NamedAttrMap }) }) as tf.TensorInfo;
      return body({ inputs, attrs: params.attrs, backend: params.backend as tf.KernelBackend, run });
    };
  };
  /** `any` and `all` by the largest and smallest of integers: the stock shader does not compile. */
  const overIntegers = (name: "All" | "Any"): tf.KernelFunc => {
    const kernel = stock.get(name === "All" ? "Min" : "Max")!;
    return ({ inputs, attrs, backend }) => {
      const { axis, keepDims } = attrs as unknown as { axis: number[]; keepDims: boolean };
      const x = { ...inputs.x!, dtype: "int32" } as tf.TensorInfo;
      const y = kernel({ inputs: { x }, attrs: { reductionIndices: axis, keepDims }, backend }) as tf.TensorInfo;
      return { ...y, dtype: "bool" };
    };
  };
  return {
    ...Object.fromEntries(BINARY.map((name) => [name, wrapped(name, binary)])),
    Select: wrapped("Select", select),
    PadV2: wrapped("PadV2", pad),
    MirrorPad: wrapped("MirrorPad", pad),
    Reverse: wrapped("Reverse", reverse),
    StridedSlice: wrapped("StridedSlice", stridedSlice),
    Cumsum: wrapped("Cumsum", cumulative),
    Cumprod: wrapped("Cumprod", cumulative),
    All: overIntegers("All"),
    Any: overIntegers("Any"),
  };
}
