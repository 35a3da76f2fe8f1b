import * as tfl from "@tensorflow/tfjs-layers";
import { Random } from "../core/random.js";
import type { Triple } from "../core/shape.js";
import { batchNormalization, convolution, instanceNormalization, transposedConvolution } from "../engine/index.js";

export type Activation = "relu" | "leakyRelu" | "elu";
export type Normalization = "batch" | "instance" | "none";
type Tensor = tfl.SymbolicTensor;

/** The building blocks of one network, the same for 2D and 3D. */
export interface Layers {
  input(): Tensor;
  /** Convolution that keeps the size, and its activation. */
  conv(x: Tensor, filters: number, kernel: 1 | 3, name: string, activation?: Activation | "linear", slope?: number): Tensor;
  /** Transposed convolution with kernel = stride = `factor`; linear. */
  up(x: Tensor, filters: number, factor: Triple, name: string): Tensor;
  maxPool(x: Tensor, factor: Triple, name: string): Tensor;
  concat(a: Tensor, b: Tensor, name: string): Tensor;
  leakyRelu(x: Tensor, slope: number, name: string): Tensor;
  /** Normalization, and leaky ReLU after it when a slope is given: one operation of the engine. */
  normalize(x: Tensor, kind: Normalization, name: string, slope?: number): Tensor;
}

export interface LayersForOptions {
  readonly dimensions: 2 | 3;
  readonly shape: readonly [depth: number, height: number, width: number, channels: number];
  readonly seed: number;
}

/** Layers with Keras' defaults (Glorot-uniform kernels, zero biases), each initialized from a seed of its own, so that adding one does not change the others. */
export function layersFor({ dimensions, shape, seed }: LayersForOptions): Layers {
  const kernelInitializer = (name: string) => tfl.initializers.glorotUniform({ seed: new Random(seed, "weights", name).integer(1, 2 ** 31 - 1) });
  // Layers take their sizes as [height, width] or [depth, height, width].
  const flat = (factor: Triple): [number, number] => [factor[1], factor[2]];
  const full = (factor: Triple): [number, number, number] => [factor[0], factor[1], factor[2]];
  const apply = (layer: tfl.layers.Layer, x: Tensor | Tensor[]): Tensor => layer.apply(x) as Tensor;
  return {
    input: () => tfl.input({ shape: dimensions === 2 ? shape.slice(1) : [...shape], name: "image" }),
    conv(x, filters, kernel, name, activation = "linear", slope = 0.01) {
      const fused = activation === "elu" ? "linear" : activation;
      const y = apply(
        convolution({ filters, kernelSize: kernel, activation: fused, alpha: slope, kernelInitializer: kernelInitializer(name), name }),
        x,
      );
      return activation === "elu" ? apply(tfl.layers.elu({ name: `${name}_activation` }), y) : y;
    },
    up(x, filters, factor, name) {
      const extent = dimensions === 2 ? flat(factor) : full(factor);
      return apply(transposedConvolution({ filters, kernelSize: extent, strides: extent, kernelInitializer: kernelInitializer(name), name }), x);
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
    leakyRelu: (x, slope, name) => apply(tfl.layers.leakyReLU({ alpha: slope, name }), x),
    normalize(x, kind, name, slope) {
      const activation = slope === undefined ? ({} as const) : ({ activation: "leakyRelu", alpha: slope } as const);
      if (kind === "batch") return apply(batchNormalization({ name, ...activation }), x);
      if (kind === "instance") return apply(instanceNormalization({ name, ...activation }), x);
      return slope === undefined ? x : apply(tfl.layers.leakyReLU({ alpha: slope, name }), x);
    },
  };
}
