import * as tfl from "@tensorflow/tfjs-layers";
import { Random } from "../core/random.js";
import type { Triple } from "../core/shape.js";

export type Activation = "relu" | "leakyRelu" | "elu";
export type Normalization = "batch" | "instance" | "none";
type Tensor = tfl.SymbolicTensor;

/** The building blocks of one network, the same for 2D and 3D. */
export interface Layers {
  input(): Tensor;
  /** Convolution that keeps the size; linear. */
  conv(x: Tensor, filters: number, kernel: 1 | 3, name: string, activation?: "relu" | "elu" | "linear"): Tensor;
  /** Transposed convolution with kernel = stride = `factor`; linear. */
  up(x: Tensor, filters: number, factor: Triple, name: string): Tensor;
  maxPool(x: Tensor, factor: Triple, name: string): Tensor;
  concat(a: Tensor, b: Tensor, name: string): Tensor;
  leakyRelu(x: Tensor, slope: number, name: string): Tensor;
  normalize(x: Tensor, kind: Normalization, name: string): Tensor;
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
    conv(x, filters, kernel, name, activation = "linear") {
      const common = { filters, padding: "same", activation, kernelInitializer: kernelInitializer(name), name } as const;
      return apply(dimensions === 2 ? tfl.layers.conv2d({ ...common, kernelSize: kernel }) : tfl.layers.conv3d({ ...common, kernelSize: kernel }), x);
    },
    up(x, filters, factor, name) {
      const common = { filters, padding: "same", kernelInitializer: kernelInitializer(name), name } as const;
      return apply(
        dimensions === 2
          ? tfl.layers.conv2dTranspose({ ...common, kernelSize: flat(factor), strides: flat(factor) })
          : tfl.layers.conv3dTranspose({ ...common, kernelSize: full(factor), strides: full(factor) }),
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
    leakyRelu: (x, slope, name) => apply(tfl.layers.leakyReLU({ alpha: slope, name }), x),
    normalize(x, kind, name) {
      if (kind === "none") return x;
      if (kind === "batch") {
        const size = x.shape.slice(1) as number[];
        if (dimensions === 2) return apply(tfl.layers.batchNormalization({ name }), x);
        const [d, h, w, c] = size as [number, number, number, number];
        const plane = apply(tfl.layers.reshape({ targetShape: [d * h, w, c], name: `${name}_in` }), x);
        return apply(tfl.layers.reshape({ targetShape: size, name: `${name}_out` }), apply(tfl.layers.batchNormalization({ name }), plane));
      }
      throw new Error("instance normalization comes with the engine");
    },
  };
}
