import * as tfl from "@tensorflow/tfjs-layers";
import { Random } from "../core/random.js";
import type { Triple } from "../core/shape.js";
import { batchNormalization, convolution, instanceNormalization, transposedConvolution } from "../engine/index.js";

export type Activation = "relu" | "leakyRelu" | "elu";
export type Normalization = "batch" | "instance" | "none";
type Tensor = tfl.SymbolicTensor;

export interface ActivationOptions {
  readonly activation?: Activation | "linear";
  /** Slope of leaky ReLU below zero. */
  readonly slope?: number;
}

/** The building blocks of one network, the same for 2D and 3D. */
export interface Layers {
  input(): Tensor;
  /** Convolution that keeps the size, with its activation. */
  conv(x: Tensor, filters: number, kernel: 1 | 3, name: string, activation?: ActivationOptions): Tensor;
  /** Transposed convolution with kernel = stride = `factor`; linear. */
  up(x: Tensor, filters: number, factor: Triple, name: string): Tensor;
  maxPool(x: Tensor, factor: Triple, name: string): Tensor;
  concat(a: Tensor, b: Tensor, name: string): Tensor;
  /** Normalization with the activation behind it. */
  normalize(x: Tensor, kind: Normalization, name: string, activation?: ActivationOptions): Tensor;
}

export interface LayersForOptions {
  readonly dimensions: 2 | 3;
  readonly shape: readonly [depth: number, height: number, width: number, channels: number];
  readonly seed: number;
}

/**
 * Layers of the engine, which fuse convolution, bias and activation, with Keras' defaults (Glorot-uniform kernels, zero biases). Each is initialized from
 * a seed of its own, so that adding one does not change the others.
 */
export function layersFor({ dimensions, shape, seed }: LayersForOptions): Layers {
  const kernelInitializer = (name: string) => tfl.initializers.glorotUniform({ seed: new Random(seed, "weights", name).integer(1, 2 ** 31 - 1) });
  // Layers take their sizes as [height, width] or [depth, height, width].
  const flat = (factor: Triple): [number, number] => [factor[1], factor[2]];
  const full = (factor: Triple): [number, number, number] => [factor[0], factor[1], factor[2]];
  const extent = (factor: Triple): readonly number[] => (dimensions === 2 ? flat(factor) : full(factor));
  const apply = (layer: tfl.layers.Layer, x: Tensor | Tensor[]): Tensor => layer.apply(x) as Tensor;
  const activate = (x: Tensor, activation: "linear" | Activation, name: string): Tensor =>
    activation === "elu" ? apply(tfl.layers.activation({ activation: "elu", name: `${name}_elu` }), x) : x;
  /** ELU has no fused form and becomes a layer of its own. */
  const fusible = ({ activation = "linear", slope }: ActivationOptions) => ({
    activation: activation === "elu" ? ("linear" as const) : activation,
    ...(slope !== undefined && { alpha: slope }),
  });
  return {
    input: () => tfl.input({ shape: dimensions === 2 ? shape.slice(1) : [...shape], name: "image" }),
    conv(x, filters, kernelSize, name, options = {}) {
      const y = apply(convolution({ filters, kernelSize, kernelInitializer: kernelInitializer(name), name, ...fusible(options) }), x);
      return activate(y, options.activation ?? "linear", name);
    },
    up(x, filters, factor, name) {
      return apply(
        transposedConvolution({ filters, kernelSize: extent(factor), strides: extent(factor), kernelInitializer: kernelInitializer(name), name }),
        x,
      );
    },
    maxPool(x, factor, name) {
      return apply(
        dimensions === 2
          ? tfl.layers.maxPooling2d({ poolSize: flat(factor), strides: flat(factor), name })
          : tfl.layers.maxPooling3d({ poolSize: full(factor), strides: full(factor), name }),
        x,
      );
    },
    concat: (a, b, name) => apply(tfl.layers.concatenate({ axis: -1, name }), [a, b]),
    normalize(x, kind, name, options = {}) {
      const { activation = "linear", slope } = options;
      switch (kind) {
        case "batch":
          return activate(apply(batchNormalization({ name, ...fusible(options) }), x), activation, name);
        case "instance":
          return activate(apply(instanceNormalization({ name, ...fusible(options) }), x), activation, name);
        case "none":
          if (activation === "leakyRelu") return apply(tfl.layers.leakyReLU({ alpha: slope ?? 0.01, name }), x);
          return activation === "relu" ? apply(tfl.layers.reLU({ name }), x) : activate(x, activation, name);
        default:
          return kind satisfies never;
      }
    },
  };
}
