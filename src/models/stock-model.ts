import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { VoxError } from "../core/errors.js";
import { walkModel } from "./walk-model.js";

type Symbolic = tfl.SymbolicTensor;
/** Saved configurations have no type. */
// biome-ignore lint/suspicious/noExplicitAny: fields differ by class
type Config = any;

interface Lowering {
  readonly layer: tfl.layers.Layer;
  readonly config: Config;
  readonly x: Symbolic;
  readonly axes: 2 | 3;
}

/**
 * The same network from TensorFlow.js' own layers only, for programs without Voxstream. It predicts what the network predicts, within rounding; in training it
 * may behave otherwise. Layers that TensorFlow.js has no volumes for work on flattened ones, so that the extents are fixed to the patch.
 *
 * @shape as the network's
 * @throws `ERR_MODEL` naming a layer that has no such form
 * @example
 * await stockModel(model).save(handler)
 */
export function stockModel(model: tfl.LayersModel): tfl.LayersModel {
  const shape = model.inputs[0]!.shape.slice(1);
  if (model.inputs.length !== 1 || shape.length < 3 || shape.length > 4 || shape.includes(null)) {
    throw new VoxError("a network must have one input of images or volumes of known extents to be exported, got another", {
      code: "ERR_MODEL",
      where: "stockModel",
    });
  }
  const axes = (shape.length - 1) as 2 | 3;
  const input = tfl.input({ shape: shape as number[], name: "image" });
  // A layer that is applied twice stays one layer.
  const copies = new Map<tfl.layers.Layer, tfl.layers.Layer>();
  const outputs = walkModel(model, [input], (layer, inputs) => {
    const name = layer.getClassName();
    const lower = Object.hasOwn(lowerings, name) ? lowerings[name] : undefined;
    if (lower) return lower({ layer, config: layer.getConfig(), x: inputs[0]!, axes });
    const existing = copies.get(layer);
    const copy = existing ?? copyOf(layer);
    copies.set(layer, copy);
    const y = copy.apply(inputs.length === 1 ? inputs[0]! : [...inputs]) as Symbolic;
    if (!existing && layer.weights.length > 0) copy.setWeights(layer.getWeights());
    return y;
  });
  return tfl.model({ inputs: input, outputs, name: model.name });
}

/** How each layer of the engine is made of stock ones. */
const lowerings: Readonly<Record<string, (lowering: Lowering) => Symbolic>> = {
  VoxConvolution({ layer, config, x, axes }) {
    const { filters, kernelSize, strides, dilationRate, padding, useBias } = config;
    requireOverlap(layer, config, axes);
    const options = { filters, kernelSize, strides, dilationRate, padding, useBias, kernelInitializer: "zeros" as const, name: layer.name };
    const y = applied(axes === 2 ? tfl.layers.conv2d(options) : tfl.layers.conv3d(options), x, layer.getWeights());
    return activated(y, config, layer.name);
  },
  VoxTransposedConvolution({ layer, config, x, axes }) {
    const { filters, kernelSize, strides, useBias } = config;
    requireOverlap(layer, config, axes);
    const options = { filters, kernelSize, strides, useBias, padding: "same" as const, kernelInitializer: "zeros" as const, name: layer.name };
    const y = applied(axes === 2 ? tfl.layers.conv2dTranspose(options) : tfl.layers.conv3dTranspose(options), x, layer.getWeights());
    return activated(y, config, layer.name);
  },
  VoxNormalization(lowering) {
    const { layer, config, x } = lowering;
    const y = config.over === "batch" ? batchNormalized(lowering) : groupNormalized(lowering, config.over === "group" ? config.groups : undefined);
    return activated(reshaped(y, x.shape, `${layer.name}_unflattened`), config, layer.name);
  },
  VoxLayerNormalization({ layer, config, x }) {
    const flat = flattened(x, layer.name);
    const y = applied(tfl.layers.layerNormalization({ axis: -1, epsilon: config.epsilon, name: layer.name }), flat, layer.getWeights());
    return reshaped(y, x.shape, `${layer.name}_unflattened`);
  },
  VoxDropout: ({ layer, config, x }) => applied(tfl.layers.dropout({ rate: config.rate, name: layer.name }), x),
  VoxUpSampling({ layer, config, x, axes }) {
    const size: number[] = typeof config.size === "number" ? new Array<number>(axes).fill(config.size) : config.size;
    if (config.interpolation !== "nearest") throw cannot(layer, "TensorFlow.js has no linear enlargement between the centers of voxels");
    if (axes === 2) return applied(tfl.layers.upSampling2d({ size: size as [number, number], name: layer.name }), x);
    // There is no UpSampling3D; a transposed convolution that copies each channel into its block is one.
    const channels = x.shape.at(-1)!;
    const kernel = tf.tile(tf.reshape(tf.eye(channels), [1, 1, 1, channels, channels]), [...size, 1, 1]);
    const options = { filters: channels, kernelSize: size, strides: size, useBias: false, padding: "same" as const, name: layer.name };
    return applied(tfl.layers.conv3dTranspose({ ...options, kernelInitializer: "zeros" }), x, [kernel]);
  },
};

/** Where a stride is larger than the kernel, TensorFlow.js begins inside volumes, and the engine at the first voxel, as both do in images. */
function requireOverlap(layer: tfl.layers.Layer, { kernelSize, strides, padding }: Config, axes: number): void {
  const [sizes, steps] = [kernelSize, strides].map((value: number | readonly number[]) => [value].flat());
  const isSmaller =
    sizes!.some((size, axis) => size < (steps![axis] ?? steps![0]!)) || steps!.some((step, axis) => (sizes![axis] ?? sizes![0]!) < step);
  if (axes === 3 && padding !== "valid" && isSmaller) throw cannot(layer, "its stride is larger than its kernel");
}

/** `[batch, voxels, channels]`: the stock normalizations have no rank 5. */
function flattened(x: Symbolic, name: string): Symbolic {
  const voxels = x.shape.slice(1, -1).reduce<number>((product, extent) => product * extent!, 1);
  return reshaped(x, [null, voxels, x.shape.at(-1)!], `${name}_flattened`);
}

function reshaped(x: Symbolic, shape: readonly (number | null)[], name: string): Symbolic {
  const isSame = x.shape.length === shape.length && x.shape.every((extent, axis) => extent === shape[axis]);
  return isSame ? x : applied(tfl.layers.reshape({ targetShape: shape.slice(1) as number[], name }), x);
}

function batchNormalized({ layer, config, x, axes }: Lowering): Symbolic {
  const { epsilon, momentum, scale } = config;
  return applied(
    tfl.layers.batchNormalization({ epsilon, momentum, scale, name: layer.name }),
    axes === 2 ? x : flattened(x, layer.name),
    layer.getWeights(),
  );
}

/** Layer normalization over voxels, and over the channels of a group, without its own factors; then one factor and shift per channel. */
function groupNormalized({ layer, config, x }: Lowering, groups: number | undefined): Symbolic {
  const { name } = layer;
  const flat = flattened(x, name);
  const [, voxels, channels] = flat.shape as [null, number, number];
  const options = { epsilon: config.epsilon, center: false, scale: false, name: `${name}_normal` };
  const normal =
    groups === undefined
      ? applied(tfl.layers.layerNormalization({ ...options, axis: [1] }), flat)
      : applied(
          tfl.layers.layerNormalization({ ...options, axis: [1, 3] }),
          reshaped(flat, [null, voxels, groups, channels / groups], `${name}_groups`),
        );
  // Batch normalization with mean 0, variance 1 and no epsilon is that factor and shift.
  const { gamma = tf.ones([channels]), beta } = named(layer);
  const weights = [gamma, beta!, tf.zeros([channels]), tf.ones([channels])];
  return applied(tfl.layers.batchNormalization({ epsilon: 0, name }), reshaped(normal, flat.shape, `${name}_whole`), weights);
}

function activated(x: Symbolic, { activation, alpha }: Config, name: string): Symbolic {
  switch (activation) {
    case "linear":
      return x;
    case "relu":
      return applied(tfl.layers.reLU({ name: `${name}_relu` }), x);
    default:
      return applied(tfl.layers.leakyReLU({ alpha, name: `${name}_leaky_relu` }), x);
  }
}

function applied(layer: tfl.layers.Layer, x: Symbolic, weights?: tf.Tensor[]): Symbolic {
  const y = layer.apply(x) as Symbolic;
  if (weights && weights.length > 0) layer.setWeights(weights);
  return y;
}

function named(layer: tfl.layers.Layer): Record<string, tf.Tensor | undefined> {
  return Object.fromEntries(layer.weights.map((weight) => [weight.originalName.split("/").at(-1)!, weight.read()]));
}

/** A layer of the same kind and configuration, which TensorFlow.js itself must have. */
function copyOf(layer: tfl.layers.Layer): tfl.layers.Layer {
  const name = layer.getClassName();
  const [type, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[name] ?? [];
  if (!type || !fromConfig || !STOCK_LAYERS.has(name)) throw cannot(layer, `its class ${name} is not one of TensorFlow.js`);
  return fromConfig(type, layer.getConfig()) as tfl.layers.Layer;
}

/** Class names of the stock layers, for a class of the user's own is not in other programs. */
const STOCK_LAYERS: ReadonlySet<string> = new Set(
  Object.entries(tfl.layers)
    .filter(([name, make]) => typeof make === "function" && /^[a-z]/.test(name))
    .map(([name]) => name.charAt(0).toUpperCase() + name.slice(1).replace(/([123])d/, "$1D"))
    .concat("ReLU", "LeakyReLU", "ELU", "PReLU", "ThresholdedReLU"),
);

function cannot(layer: tfl.layers.Layer, reason: string): VoxError {
  return new VoxError(`layer ${layer.name} cannot be made of stock layers: ${reason}`, { code: "ERR_MODEL", where: "stockModel" });
}
