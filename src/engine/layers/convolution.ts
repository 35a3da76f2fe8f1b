import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { type FusedActivation, LEAKY_SLOPE } from "../ops/fused-activation.js";
import { type Extent3, fusedConv3d } from "../ops/fused-conv3d.js";
import { type Initializer, restoreInitializer, type SavedInitializer, saveInitializer } from "./initializer.js";
import { LAYER_OPTIONS } from "./layer-options.js";
import { channelsOf, type LayerArguments, type LayerShape, onlyShape, onlyTensor } from "./layer-shape.js";

/** An extent per axis, or one for all. In 2D there are two. */
export type LayerExtent = number | readonly number[];

export interface ConvolutionOptions extends LayerArguments {
  readonly filters: number;
  readonly kernelSize: LayerExtent;
  readonly strides?: LayerExtent;
  readonly dilationRate?: LayerExtent;
  readonly padding?: "same" | "valid";
  readonly activation?: FusedActivation;
  /** Slope of leaky ReLU. */
  readonly alpha?: number;
  readonly useBias?: boolean;
  readonly kernelInitializer?: Initializer | SavedInitializer;
}

/** `[d, h, w]` of an extent given for the spatial axes of this rank; 2D has depth 1. */
export function extent3(extent: LayerExtent, axes: 2 | 3): Extent3 {
  const list = typeof extent === "number" ? new Array<number>(axes).fill(extent) : extent;
  return (axes === 3 ? [list[0]!, list[1]!, list[2]!] : [1, list[0]!, list[1]!]) as Extent3;
}

/** Refuses an extent that is not one whole number >= 1, or one for each spatial axis. */
export function requireExtent(extent: LayerExtent, where: string, option: string): void {
  const list = typeof extent === "number" ? [extent] : extent;
  const isFine = list.length >= 1 && list.length <= 3 && list.every((value) => Number.isInteger(value) && value >= 1);
  requireOption(isFine, where, option, "an integer >= 1, or one per axis", extent);
}

class Convolution extends tfl.layers.Layer {
  static className = "VoxConvolution";
  private readonly options: Required<
    Pick<ConvolutionOptions, "filters" | "kernelSize" | "strides" | "dilationRate" | "padding" | "activation" | "alpha" | "useBias">
  >;
  private readonly kernelInitializer: Initializer;
  private kernel!: tfl.LayerVariable;
  private bias: tfl.LayerVariable | undefined;

  constructor(args: ConvolutionOptions) {
    super(args);
    const { filters, kernelSize, strides = 1, dilationRate = 1, padding = "same", activation = "linear", alpha = LEAKY_SLOPE, useBias = true } = args;
    requireOption(Number.isInteger(filters) && filters >= 1, "convolution", "filters", "an integer >= 1", filters);
    requireExtent(kernelSize, "convolution", "kernelSize");
    requireExtent(strides, "convolution", "strides");
    requireExtent(dilationRate, "convolution", "dilationRate");
    requireOption(["linear", "relu", "leakyRelu"].includes(activation), "convolution", "activation", "linear, relu or leakyRelu", activation);
    requireOption(alpha >= 0 && alpha < 1, "convolution", "alpha", "in [0, 1)", alpha);
    this.options = { filters, kernelSize, strides, dilationRate, padding, activation, alpha, useBias };
    this.kernelInitializer = restoreInitializer(args.kernelInitializer);
  }

  override build(inputShape: LayerShape | LayerShape[]): void {
    const axes = (onlyShape(inputShape).length - 2) as 2 | 3;
    const kernel = extent3(this.options.kernelSize, axes);
    const shape = [...(axes === 3 ? kernel : kernel.slice(1)), channelsOf(inputShape), this.options.filters];
    this.kernel = this.addWeight("kernel", shape, "float32", this.kernelInitializer, undefined, true);
    if (this.options.useBias) this.bias = this.addWeight("bias", [this.options.filters], "float32", tfl.initializers.zeros(), undefined, true);
    this.built = true;
  }

  override computeOutputShape(inputShape: LayerShape | LayerShape[]): LayerShape {
    const shape = onlyShape(inputShape);
    const axes = (shape.length - 2) as 2 | 3;
    const { kernelSize, strides, dilationRate, padding, filters } = this.options;
    const [kernel, stride, rate] = [extent3(kernelSize, axes), extent3(strides, axes), extent3(dilationRate, axes)];
    const spatial = shape.slice(1, -1).map((size, i) => {
      if (size === null) return null;
      const a = i + 3 - axes;
      return padding === "same" ? Math.ceil(size / stride[a]!) : Math.ceil((size - (kernel[a]! - 1) * rate[a]!) / stride[a]!);
    });
    return [shape[0]!, ...spatial, filters];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs);
      const axes = (x.rank - 2) as 2 | 3;
      const { strides, dilationRate, padding, activation, alpha } = this.options;
      const volume = (axes === 3 ? x : tf.expandDims(x, 1)) as tf.Tensor5D;
      const kernel = this.kernel.read();
      const filter = (axes === 3 ? kernel : tf.expandDims(kernel, 0)) as tf.Tensor5D;
      const y = fusedConv3d(volume, filter, this.bias?.read() as tf.Tensor1D | undefined, {
        strides: extent3(strides, axes),
        dilations: extent3(dilationRate, axes),
        pad: padding,
        activation,
        alpha,
      });
      return axes === 3 ? y : tf.squeeze(y, [1]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.options, kernelInitializer: saveInitializer(this.kernelInitializer) } as tf.serialization.ConfigDict;
  }
}
tf.serialization.registerClass(Convolution as unknown as tf.serialization.SerializableConstructor<Convolution>);

/**
 * activation(convolution + bias) in one operation, for volumes (rank 5) and images (rank 4), channels last.
 *
 * @shape `[N, D, H, W, C]` or `[N, H, W, C]` → same extents over strides, `filters` channels
 * @throws `ERR_OPTION` for options outside their rule
 * @example
 * convolution({ filters: 32, kernelSize: 3, activation: "leakyRelu" }).apply(x)
 */
export function convolution(options: ConvolutionOptions): tfl.layers.Layer {
  requireKnownOptions("convolution", options, [
    "filters",
    "kernelSize",
    "strides",
    "dilationRate",
    "padding",
    "activation",
    "alpha",
    "useBias",
    "kernelInitializer",
    ...LAYER_OPTIONS,
  ]);
  return new Convolution(options);
}
