import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { type FusedActivation, LEAKY_SLOPE } from "../ops/fused-activation.js";
import { fusedConv3d } from "../ops/fused-conv3d.js";
import type { Initializer, SavedInitializer } from "./initializer.js";
import { extent3, KernelLayer, type LayerExtent, requireExtent, spatialAxes } from "./kernel-layer.js";
import { LAYER_OPTIONS } from "./layer-options.js";
import { type LayerArguments, type LayerShape, onlyShape } from "./layer-shape.js";

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

type Options = Required<
  Pick<ConvolutionOptions, "filters" | "kernelSize" | "strides" | "dilationRate" | "padding" | "activation" | "alpha" | "useBias">
>;

class Convolution extends KernelLayer<Options> {
  static className = "VoxConvolution";

  constructor(args: ConvolutionOptions) {
    const { filters, kernelSize, strides = 1, dilationRate = 1, padding = "same", activation = "linear", alpha = LEAKY_SLOPE, useBias = true } = args;
    super("convolution", args, { filters, kernelSize, strides, dilationRate, padding, activation, alpha, useBias });
    requireExtent(dilationRate, "convolution", "dilationRate");
  }

  override computeOutputShape(inputShape: LayerShape | LayerShape[]): LayerShape {
    const shape = onlyShape(inputShape);
    const axes = spatialAxes(shape.length);
    const { kernelSize, strides, dilationRate, padding, filters } = this.options;
    const [kernel, stride, rate] = [extent3(kernelSize, axes), extent3(strides, axes), extent3(dilationRate, axes)];
    const spatial = shape.slice(1, -1).map((size, i) => {
      if (size === null) return null;
      const a = i + 3 - axes;
      return padding === "same" ? Math.ceil(size / stride[a]!) : Math.ceil((size - (kernel[a]! - 1) * rate[a]!) / stride[a]!);
    });
    return [shape[0]!, ...spatial, filters];
  }

  protected override kernelChannels(channels: number): [number, number] {
    return [channels, this.options.filters];
  }

  protected override convolve(volume: tf.Tensor5D, filter: tf.Tensor5D, bias: tf.Tensor1D | undefined, axes: 2 | 3): tf.Tensor5D {
    const { strides, dilationRate, padding, activation, alpha } = this.options;
    return fusedConv3d(volume, filter, bias, {
      strides: extent3(strides, axes),
      dilations: extent3(dilationRate, axes),
      pad: padding,
      activation,
      alpha,
    });
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
