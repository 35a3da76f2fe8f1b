import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { type FusedActivation, LEAKY_SLOPE } from "../ops/fused-activation.js";
import { fusedConv3dTranspose } from "../ops/fused-conv3d.js";
import type { Initializer, SavedInitializer } from "./initializer.js";
import { extent3, KernelLayer, type LayerExtent, spatialAxes } from "./kernel-layer.js";
import { LAYER_OPTIONS } from "./layer-options.js";
import { type LayerArguments, type LayerShape, onlyShape } from "./layer-shape.js";

export interface TransposedConvolutionOptions extends LayerArguments {
  readonly filters: number;
  readonly kernelSize: LayerExtent;
  /** Factor by which each extent grows. */
  readonly strides: LayerExtent;
  readonly activation?: FusedActivation;
  readonly alpha?: number;
  readonly useBias?: boolean;
  readonly kernelInitializer?: Initializer | SavedInitializer;
}

type Options = Required<Pick<TransposedConvolutionOptions, "filters" | "kernelSize" | "strides" | "activation" | "alpha" | "useBias">>;

class TransposedConvolution extends KernelLayer<Options> {
  static className = "VoxTransposedConvolution";

  constructor(args: TransposedConvolutionOptions) {
    const { filters, kernelSize, strides, activation = "linear", alpha = LEAKY_SLOPE, useBias = true } = args;
    super("transposedConvolution", args, { filters, kernelSize, strides, activation, alpha, useBias });
  }

  override computeOutputShape(inputShape: LayerShape | LayerShape[]): LayerShape {
    const shape = onlyShape(inputShape);
    const axes = spatialAxes(shape.length);
    const factor = extent3(this.options.strides, axes);
    const spatial = shape.slice(1, -1).map((size, i) => (size === null ? null : size * factor[i + 3 - axes]!));
    return [shape[0]!, ...spatial, this.options.filters];
  }

  protected override kernelChannels(channels: number): [number, number] {
    return [this.options.filters, channels];
  }

  protected override convolve(volume: tf.Tensor5D, filter: tf.Tensor5D, bias: tf.Tensor1D | undefined, axes: 2 | 3): tf.Tensor5D {
    const { strides, activation, alpha } = this.options;
    return fusedConv3dTranspose(volume, filter, bias, { strides: extent3(strides, axes), activation, alpha });
  }
}
tf.serialization.registerClass(TransposedConvolution as unknown as tf.serialization.SerializableConstructor<TransposedConvolution>);

/**
 * activation(transposed convolution + bias) with `same` padding: every extent grows by its stride. For volumes (rank 5) and images (rank 4).
 *
 * @shape `[N, D, H, W, C]` → `[N, D * s, H * s, W * s, filters]`
 * @throws `ERR_OPTION` for options outside their rule
 * @example
 * transposedConvolution({ filters: 16, kernelSize: 2, strides: 2 }).apply(x)
 */
export function transposedConvolution(options: TransposedConvolutionOptions): tfl.layers.Layer {
  requireKnownOptions("transposedConvolution", options, [
    "filters",
    "kernelSize",
    "strides",
    "activation",
    "alpha",
    "useBias",
    "kernelInitializer",
    ...LAYER_OPTIONS,
  ]);
  return new TransposedConvolution(options);
}
