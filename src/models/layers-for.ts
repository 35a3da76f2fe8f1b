import * as tfl from "@tensorflow/tfjs-layers";
import { Random } from "../core/random.js";
import type { Triple } from "../core/shape.js";
import {
  batchNormalization,
  convolution,
  dropout,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  transposedConvolution,
  upSampling3d,
} from "../engine/index.js";

export type Activation = "relu" | "leakyRelu" | "elu";
export type Normalization = "batch" | "instance" | "group" | "none";
type Tensor = tfl.SymbolicTensor;

export interface ActivationOptions {
  readonly activation?: Activation | "linear";
  /** Slope of leaky ReLU below zero. */
  readonly slope?: number;
}

export interface ConvolutionLayerOptions extends ActivationOptions {
  readonly strides?: Triple;
  readonly useBias?: boolean;
}

export interface NormalizationLayerOptions extends ActivationOptions {
  /** Whether batch normalization learns a factor per channel; the other kinds always do. */
  readonly scale?: boolean;
}

/** The building blocks of one network, the same for 2D and 3D. */
export interface Layers {
  input(): Tensor;
  /** Convolution with its activation; keeps the size, but for strides. */
  conv(x: Tensor, filters: number, kernel: 1 | 3, name: string, options?: ConvolutionLayerOptions): Tensor;
  /** Transposed convolution with kernel = stride = `factor`; linear. */
  up(x: Tensor, filters: number, factor: Triple, name: string): Tensor;
  /** Enlarges by repetition. */
  repeat(x: Tensor, factor: Triple, name: string): Tensor;
  maxPool(x: Tensor, factor: Triple, name: string): Tensor;
  meanPool(x: Tensor, factor: Triple, name: string): Tensor;
  concat(inputs: readonly Tensor[], name: string): Tensor;
  add(a: Tensor, b: Tensor, name: string): Tensor;
  /** Product; a single channel counts for all channels of the other. */
  multiply(a: Tensor, b: Tensor, name: string): Tensor;
  activate(x: Tensor, activation: Activation | "sigmoid", name: string): Tensor;
  /** Normalization with the activation behind it. */
  normalize(x: Tensor, kind: Normalization, name: string, options?: NormalizationLayerOptions): Tensor;
  /** Normalization over the channels of each voxel. */
  normalizeChannels(x: Tensor, name: string): Tensor;
  /** Nothing when the rate is 0. */
  dropout(x: Tensor, rate: number, name: string, options?: { readonly perChannel?: boolean }): Tensor;
}

export interface LayersForOptions {
  readonly dimensions: 2 | 3;
  readonly shape: readonly [depth: number, height: number, width: number, channels: number];
  readonly seed: number;
  /** Of group normalization; where they do not divide the channels, the greatest common divisor of both. */
  readonly groups?: number;
}

/**
 * Layers of the engine, which fuse convolution, bias and activation, with Keras' defaults (Glorot-uniform kernels, zero biases). Each is initialized from
 * a seed of its own, so that adding one does not change the others.
 */
export function layersFor({ dimensions, shape, seed, groups = 8 }: LayersForOptions): Layers {
  const kernelInitializer = (name: string) => tfl.initializers.glorotUniform({ seed: new Random(seed, "weights", name).integer(1, 2 ** 31 - 1) });
  // Layers take their sizes as [height, width] or [depth, height, width].
  const flat = (factor: Triple): [number, number] => [factor[1], factor[2]];
  const full = (factor: Triple): [number, number, number] => [factor[0], factor[1], factor[2]];
  const extent = (factor: Triple): readonly number[] => (dimensions === 2 ? flat(factor) : full(factor));
  const apply = (layer: tfl.layers.Layer, x: Tensor | Tensor[]): Tensor => layer.apply(x) as Tensor;
  const elu = (x: Tensor, activation: "linear" | Activation, name: string): Tensor =>
    activation === "elu" ? apply(tfl.layers.activation({ activation: "elu", name: `${name}_elu` }), x) : x;
  /** ELU has no fused form and becomes a layer of its own. */
  const fusible = ({ activation = "linear", slope }: ActivationOptions) => ({
    activation: activation === "elu" ? ("linear" as const) : activation,
    ...(slope !== undefined && { alpha: slope }),
  });
  return {
    input: () => tfl.input({ shape: dimensions === 2 ? shape.slice(1) : [...shape], name: "image" }),
    conv(x, filters, kernelSize, name, options = {}) {
      const { strides = [1, 1, 1], useBias = true } = options;
      const layer = convolution({
        filters,
        kernelSize,
        strides: extent(strides),
        useBias,
        kernelInitializer: kernelInitializer(name),
        name,
        ...fusible(options),
      });
      return elu(apply(layer, x), options.activation ?? "linear", name);
    },
    up(x, filters, factor, name) {
      return apply(
        transposedConvolution({ filters, kernelSize: extent(factor), strides: extent(factor), kernelInitializer: kernelInitializer(name), name }),
        x,
      );
    },
    repeat: (x, factor, name) => apply(upSampling3d({ size: extent(factor), name }), x),
    maxPool(x, factor, name) {
      return apply(
        dimensions === 2
          ? tfl.layers.maxPooling2d({ poolSize: flat(factor), strides: flat(factor), name })
          : tfl.layers.maxPooling3d({ poolSize: full(factor), strides: full(factor), name }),
        x,
      );
    },
    meanPool(x, factor, name) {
      return apply(
        dimensions === 2
          ? tfl.layers.averagePooling2d({ poolSize: flat(factor), strides: flat(factor), name })
          : tfl.layers.averagePooling3d({ poolSize: full(factor), strides: full(factor), name }),
        x,
      );
    },
    concat: (inputs, name) => (inputs.length === 1 ? inputs[0]! : apply(tfl.layers.concatenate({ axis: -1, name }), [...inputs])),
    add: (a, b, name) => apply(tfl.layers.add({ name }), [a, b]),
    multiply: (a, b, name) => apply(tfl.layers.multiply({ name }), [a, b]),
    activate(x, activation, name) {
      // Keras' leaky ReLU has a slope of 0.3; this is the engine's.
      return apply(activation === "leakyRelu" ? tfl.layers.leakyReLU({ alpha: 0.01, name }) : tfl.layers.activation({ activation, name }), x);
    },
    normalize(x, kind, name, options = {}) {
      const { activation = "linear", slope, scale = true } = options;
      const channels = x.shape.at(-1)!;
      switch (kind) {
        case "batch":
          return elu(apply(batchNormalization({ name, scale, ...fusible(options) }), x), activation, name);
        case "instance":
          return elu(apply(instanceNormalization({ name, ...fusible(options) }), x), activation, name);
        case "group":
          return elu(apply(groupNormalization({ name, groups: commonDivisor(groups, channels), ...fusible(options) }), x), activation, name);
        case "none":
          if (activation === "leakyRelu") return apply(tfl.layers.leakyReLU({ alpha: slope ?? 0.01, name }), x);
          return activation === "relu" ? apply(tfl.layers.reLU({ name }), x) : elu(x, activation, name);
        default:
          return kind satisfies never;
      }
    },
    normalizeChannels: (x, name) => apply(layerNormalization({ name }), x),
    dropout: (x, rate, name, { perChannel = false } = {}) => (rate === 0 ? x : apply(dropout({ rate, perChannel, name }), x)),
  };
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
