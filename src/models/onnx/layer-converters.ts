import type * as tfl from "@tensorflow/tfjs-layers";
import { VoxError } from "../../core/errors.js";
import type { LayerShapes } from "../walk-model.js";
import { addActivation } from "./add-activation.js";
import type { OnnxGraph } from "./onnx-graph.js";

export interface LayerWeight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** One layer on its way into an ONNX graph. Values inside the graph have their channels behind the batch. */
export interface LayerConversion {
  readonly graph: OnnxGraph;
  /** Names of the values that the layer is given. */
  readonly inputs: readonly string[];
  readonly layer: tfl.layers.Layer;
  /** Of the layer; `any`, as every kind has fields of its own. */
  // biome-ignore lint/suspicious/noExplicitAny: a saved configuration has no type
  readonly config: any;
  /** Weights by their own name, such as `kernel`. */
  readonly weights: Readonly<Record<string, LayerWeight | undefined>>;
  /** Shapes as TensorFlow.js has them: channels last. */
  readonly shapes: LayerShapes;
  /** Number of spatial axes. */
  readonly axes: number;
  /** Says that the graph holds only for the extents that the network was built for. */
  fixExtents(): void;
}

/** Adds the operations of a layer to the graph; the result is the name of its output. */
export type LayerConverter = (conversion: LayerConversion) => string;

/** Layers with an ONNX form, by their class names. */
export const layerConverters: Readonly<Record<string, LayerConverter>> = {
  InputLayer: ({ inputs }) => inputs[0]!,
  VoxConvolution: convolution,
  Conv1D: convolution,
  Conv2D: convolution,
  Conv3D: convolution,
  VoxTransposedConvolution: transposedConvolution,
  Conv2DTranspose: transposedConvolution,
  Conv3DTranspose: transposedConvolution,
  VoxNormalization: (conversion) => normalizations[conversion.config.over as keyof typeof normalizations](conversion),
  BatchNormalization: (conversion) => {
    requireChannelAxis(conversion);
    return batchNormalization(conversion);
  },
  VoxLayerNormalization: channelNormalization,
  LayerNormalization: (conversion) => {
    requireChannelAxis(conversion);
    return channelNormalization(conversion);
  },
  MaxPooling1D: (conversion) => pooling(conversion, "MaxPool"),
  MaxPooling2D: (conversion) => pooling(conversion, "MaxPool"),
  MaxPooling3D: (conversion) => pooling(conversion, "MaxPool"),
  AveragePooling1D: (conversion) => pooling(conversion, "AveragePool"),
  AveragePooling2D: (conversion) => pooling(conversion, "AveragePool"),
  AveragePooling3D: (conversion) => pooling(conversion, "AveragePool"),
  VoxUpSampling: upSampling,
  UpSampling2D: upSampling,
  VoxDropout: ({ inputs }) => inputs[0]!,
  Dropout: ({ inputs }) => inputs[0]!,
  SpatialDropout1D: ({ inputs }) => inputs[0]!,
  GaussianNoise: ({ inputs }) => inputs[0]!,
  GaussianDropout: ({ inputs }) => inputs[0]!,
  AlphaDropout: ({ inputs }) => inputs[0]!,
  Activation: ({ graph, inputs, layer, config }) => addActivation(graph, layer.name, inputs[0]!, { activation: config.activation }),
  ReLU: ({ graph, inputs, layer, config }) =>
    config.maxValue === undefined || config.maxValue === null
      ? graph.add("Relu", layer.name, inputs)
      : graph.add("Clip", layer.name, [
          inputs[0]!,
          graph.floats(`${layer.name}_least`, [], [0]),
          graph.floats(`${layer.name}_most`, [], [config.maxValue]),
        ]),
  LeakyReLU: ({ graph, inputs, layer, config }) => graph.add("LeakyRelu", layer.name, inputs, { alpha: { float: config.alpha } }),
  ELU: ({ graph, inputs, layer, config }) => graph.add("Elu", layer.name, inputs, { alpha: { float: config.alpha } }),
  Softmax: (conversion) => {
    requireChannelAxis(conversion);
    return conversion.graph.add("Softmax", conversion.layer.name, conversion.inputs, { axis: 1 });
  },
  Concatenate: concatenation,
  Add: (conversion) => merged(conversion, "Add"),
  Multiply: (conversion) => merged(conversion, "Mul"),
  Maximum: (conversion) => merged(conversion, "Max"),
  Minimum: (conversion) => merged(conversion, "Min"),
  Average: (conversion) => {
    const { graph, layer, inputs } = conversion;
    return graph.add("Mean", layer.name, inputs);
  },
};

const normalizations = { batch: batchNormalization, instance: instanceNormalization, group: groupNormalization };

/** Kernel `[…k, in, out]`, as it is in TensorFlow.js, → `[out, in, …k]`. */
function convolution(conversion: LayerConversion): string {
  const { graph, inputs, layer, config, weights, shapes, axes, fixExtents } = conversion;
  const { name } = layer;
  const [strides, dilations] = [perAxis(config.strides, axes), perAxis(config.dilationRate, axes)];
  const given = weights.kernel!.shape.slice(0, axes);
  const totals = config.padding === "valid" ? given.map(() => 0) : samePadding(shapes.inputs[0]!, given, strides, dilations, fixExtents);
  const kernel = widened(conversion, totals);
  const sizes = kernel.shape.slice(0, axes);
  const values = [inputs[0]!, graph.floats(`${name}_kernel`, ...permuted(kernel, [axes + 1, axes, ...sizes.keys()]))];
  if (weights.bias) values.push(graph.floats(`${name}_bias`, weights.bias.shape, weights.bias.values));
  const y = graph.add("Conv", name, values, { kernel_shape: sizes, strides, dilations, pads: bothSides(totals) });
  return addActivation(graph, name, y, config);
}

/** Kernel `[…k, out, in]` → `[in, out, …k]`. Extents grow by the strides. */
function transposedConvolution(conversion: LayerConversion): string {
  const { graph, inputs, layer, config, weights, axes } = conversion;
  const { name } = layer;
  const strides = perAxis(config.strides, axes);
  const isSame = (config.padding ?? "same") === "same";
  const totals = strides.map((stride, axis) => (isSame ? weights.kernel!.shape[axis]! - stride : 0));
  const kernel = widened(conversion, totals);
  const sizes = kernel.shape.slice(0, axes);
  const missing = sizes.map((size, axis) => (isSame ? Math.max(0, strides[axis]! - size) : 0));
  const values = [inputs[0]!, graph.floats(`${name}_kernel`, ...permuted(kernel, [axes + 1, axes, ...sizes.keys()]))];
  if (weights.bias) values.push(graph.floats(`${name}_bias`, weights.bias.shape, weights.bias.values));
  const y = graph.add("ConvTranspose", name, values, { kernel_shape: sizes, strides, pads: bothSides(totals), output_padding: missing });
  return addActivation(graph, name, y, config);
}

/**
 * The kernel, with zeros around it where the padding of a volume would be negative because the stride is larger than the kernel: TensorFlow.js' own layers then
 * begin inside the volume, though not inside an image.
 */
function widened({ layer, weights, axes }: LayerConversion, totals: readonly number[]): LayerWeight {
  const kernel = weights.kernel!;
  const beginsInside = axes === 3 && !layer.getClassName().startsWith("Vox");
  if (!beginsInside || totals.every((total) => total >= 0)) return kernel;
  const shape = kernel.shape.map((extent, axis) => (axis < axes ? extent + Math.max(0, -totals[axis]!) : extent));
  const before = shape.map((_, axis) => (axis < axes ? Math.ceil(Math.max(0, -totals[axis]!) / 2) : 0));
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1));
  const values = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
  for (let i = 0; i < kernel.values.length; i++) {
    let [rest, at] = [i, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += ((rest % kernel.shape[axis]!) + before[axis]!) * strides[axis]!;
      rest = Math.floor(rest / kernel.shape[axis]!);
    }
    values[at] = kernel.values[i]!;
  }
  return { shape, values };
}

function batchNormalization({ graph, inputs, layer, config, weights }: LayerConversion): string {
  const { name } = layer;
  const mean = weights.moving_mean!;
  const constant = (part: string, weight: LayerWeight | undefined, instead: number): string =>
    graph.floats(`${name}_${part}`, mean.shape, weight?.values ?? mean.values.map(() => instead));
  const given = [
    inputs[0]!,
    constant("gamma", weights.gamma, 1),
    constant("beta", weights.beta, 0),
    constant("mean", mean, 0),
    constant("variance", weights.moving_variance, 1),
  ];
  return addActivation(graph, name, graph.add("BatchNormalization", name, given, { epsilon: { float: config.epsilon } }), config);
}

function instanceNormalization({ graph, inputs, layer, config, weights }: LayerConversion): string {
  const { name } = layer;
  const beta = weights.beta!;
  const given = [
    inputs[0]!,
    graph.floats(`${name}_gamma`, beta.shape, weights.gamma?.values ?? beta.values.map(() => 1)),
    graph.floats(`${name}_beta`, beta.shape, beta.values),
  ];
  return addActivation(graph, name, graph.add("InstanceNormalization", name, given, { epsilon: { float: config.epsilon } }), config);
}

/** ONNX's own form needs opset 21; an instance normalization over `[batch, groups, rest]` is the same. */
function groupNormalization({ graph, inputs, layer, config, weights, axes }: LayerConversion): string {
  const { name } = layer;
  const groups = config.groups as number;
  const constant = (value: number): Float32Array => new Float32Array(groups).fill(value);
  const given = [
    graph.add("Reshape", `${name}_groups`, [inputs[0]!, graph.ints(`${name}_groups_shape`, [0, groups, -1])]),
    graph.floats(`${name}_ones`, [groups], constant(1)),
    graph.floats(`${name}_zeros`, [groups], constant(0)),
  ];
  const normal = graph.add("InstanceNormalization", `${name}_normal`, given, { epsilon: { float: config.epsilon } });
  const shape = graph.add("Shape", `${name}_shape`, inputs);
  const whole = graph.add("Reshape", `${name}_whole`, [normal, shape]);
  return addActivation(graph, name, scaledAndShifted(graph, name, whole, weights, axes), config);
}

/** Mean and variance over the channels of each voxel. */
function channelNormalization({ graph, inputs, layer, config, weights, axes }: LayerConversion): string {
  const { name } = layer;
  const mean = graph.add("ReduceMean", `${name}_mean`, inputs, { axes: [1], keepdims: 1 });
  const difference = graph.add("Sub", `${name}_difference`, [inputs[0]!, mean]);
  const square = graph.add("Mul", `${name}_square`, [difference, difference]);
  const variance = graph.add("ReduceMean", `${name}_variance`, [square], { axes: [1], keepdims: 1 });
  const safe = graph.add("Add", `${name}_safe`, [variance, graph.floats(`${name}_epsilon`, [], [config.epsilon])]);
  const normal = graph.add("Div", `${name}_normal`, [difference, graph.add("Sqrt", `${name}_deviation`, [safe])]);
  return scaledAndShifted(graph, name, normal, weights, axes);
}

function scaledAndShifted(graph: OnnxGraph, name: string, x: string, { gamma, beta }: LayerConversion["weights"], axes: number): string {
  let y = x;
  const dims = (values: Float32Array): number[] => [values.length, ...new Array<number>(axes).fill(1)];
  if (gamma) y = graph.add("Mul", `${name}_scaled`, [y, graph.floats(`${name}_gamma`, dims(gamma.values), gamma.values)]);
  if (beta) y = graph.add("Add", name, [y, graph.floats(`${name}_beta`, dims(beta.values), beta.values)]);
  return y;
}

function pooling({ graph, inputs, layer, config, shapes, axes, fixExtents }: LayerConversion, opType: "MaxPool" | "AveragePool"): string {
  const sizes = perAxis(config.poolSize, axes);
  const strides = perAxis(config.strides ?? config.poolSize, axes);
  const ones = sizes.map(() => 1);
  const totals = config.padding === "valid" ? sizes.map(() => 0) : samePadding(shapes.inputs[0]!, sizes, strides, ones, fixExtents);
  return graph.add(opType, layer.name, inputs, { kernel_shape: sizes, strides, pads: bothSides(totals) });
}

function upSampling({ graph, inputs, layer, config, axes }: LayerConversion): string {
  const { name } = layer;
  const scales = graph.floats(`${name}_scales`, [axes + 2], [1, 1, ...perAxis(config.size, axes)]);
  const given = [inputs[0]!, "", scales];
  if (config.interpolation === "nearest") {
    return graph.add("Resize", name, given, { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" });
  }
  // The stock layer takes voxels by their corners, ours by their centers.
  const mode = layer.getClassName() === "UpSampling2D" ? "asymmetric" : "half_pixel";
  return graph.add("Resize", name, given, { mode: "linear", coordinate_transformation_mode: mode });
}

function concatenation({ graph, inputs, layer, config, shapes }: LayerConversion): string {
  const rank = shapes.output.length;
  const axis = config.axis < 0 ? config.axis + rank : config.axis;
  return graph.add("Concat", layer.name, inputs, { axis: axis === rank - 1 ? 1 : axis === 0 ? 0 : axis + 1 });
}

/** Two by two, as `Add` and `Mul` take them. */
function merged({ graph, inputs, layer }: LayerConversion, opType: string): string {
  return inputs.slice(1).reduce((sum, next) => graph.add(opType, layer.name, [sum, next]), inputs[0]!);
}

function requireChannelAxis({ layer, config, shapes }: LayerConversion): void {
  const axis = Array.isArray(config.axis) && config.axis.length === 1 ? config.axis[0] : config.axis;
  if (axis === -1 || axis === shapes.output.length - 1) return;
  throw new VoxError(`layer ${layer.name} must work on the last axis, the channels, to be exported, got axis ${JSON.stringify(config.axis)}`, {
    code: "ERR_MODEL",
    where: "exportOnnx",
  });
}

/** One number per spatial axis; layers keep one for all, too. */
function perAxis(value: number | readonly number[], axes: number): number[] {
  return typeof value === "number" ? new Array<number>(axes).fill(value) : [...value];
}

/** What `same` adds to each axis, before and behind together; negative where a stride skips the last voxels. */
function samePadding(
  shape: readonly (number | null)[],
  sizes: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
  fixExtents: () => void,
): number[] {
  return sizes.map((size, axis) => {
    const [extent, stride, reach] = [shape[axis + 1]!, strides[axis]!, (size - 1) * dilations[axis]! + 1];
    // A multiple of the stride stays one; with another remainder the padding would be another.
    if (stride > 1 && extent % stride !== 0) fixExtents();
    return (Math.ceil(extent / stride) - 1) * stride + reach - extent;
  });
}

/** Before each axis, then behind each, as ONNX writes it; the odd one is behind. */
function bothSides(totals: readonly number[]): number[] {
  const some = totals.map((total) => Math.max(0, total));
  return [...some.map((total) => Math.floor(total / 2)), ...some.map((total) => Math.ceil(total / 2))];
}

function permuted({ shape, values }: LayerWeight, order: readonly number[]): [dims: number[], values: Float32Array] {
  const dims = order.map((axis) => shape[axis]!);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1));
  const steps = order.map((axis) => strides[axis]!);
  const result = new Float32Array(values.length);
  const index = new Array<number>(dims.length).fill(0);
  for (let i = 0, from = 0; i < result.length; i++) {
    result[i] = values[from]!;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++index[axis]! < dims[axis]!) break;
      from -= steps[axis]! * dims[axis]!;
      index[axis] = 0;
    }
  }
  return [dims, result];
}
