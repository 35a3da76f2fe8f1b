import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { type FusedActivation, LEAKY_SLOPE } from "../ops/fused-activation.js";
import { fusedConv3dTranspose } from "../ops/fused-conv3d.js";
import { extent3, type LayerExtent, requireExtent } from "./convolution.js";
import { type Initializer, restoreInitializer, type SavedInitializer, saveInitializer } from "./initializer.js";
import { LAYER_OPTIONS } from "./layer-options.js";
import { channelsOf, type LayerArguments, type LayerShape, onlyShape, onlyTensor } from "./layer-shape.js";

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

class TransposedConvolution extends tfl.layers.Layer {
  static className = "VoxTransposedConvolution";
  private readonly options: Required<Pick<TransposedConvolutionOptions, "filters" | "kernelSize" | "strides" | "activation" | "alpha" | "useBias">>;
  private readonly kernelInitializer: Initializer;
  private kernel!: tfl.LayerVariable;
  private bias: tfl.LayerVariable | undefined;

  constructor(args: TransposedConvolutionOptions) {
    super(args);
    const { filters, kernelSize, strides, activation = "linear", alpha = LEAKY_SLOPE, useBias = true } = args;
    requireOption(Number.isInteger(filters) && filters >= 1, "transposedConvolution", "filters", "an integer >= 1", filters);
    requireExtent(kernelSize, "transposedConvolution", "kernelSize");
    requireExtent(strides, "transposedConvolution", "strides");
    requireOption(
      ["linear", "relu", "leakyRelu"].includes(activation),
      "transposedConvolution",
      "activation",
      "linear, relu or leakyRelu",
      activation,
    );
    this.options = { filters, kernelSize, strides, activation, alpha, useBias };
    this.kernelInitializer = restoreInitializer(args.kernelInitializer);
  }

  override build(inputShape: LayerShape | LayerShape[]): void {
    const axes = (onlyShape(inputShape).length - 2) as 2 | 3;
    const kernel = extent3(this.options.kernelSize, axes);
    const shape = [...(axes === 3 ? kernel : kernel.slice(1)), this.options.filters, channelsOf(inputShape)];
    this.kernel = this.addWeight("kernel", shape, "float32", this.kernelInitializer, undefined, true);
    if (this.options.useBias) this.bias = this.addWeight("bias", [this.options.filters], "float32", tfl.initializers.zeros(), undefined, true);
    this.built = true;
  }

  override computeOutputShape(inputShape: LayerShape | LayerShape[]): LayerShape {
    const shape = onlyShape(inputShape);
    const axes = (shape.length - 2) as 2 | 3;
    const factor = extent3(this.options.strides, axes);
    const spatial = shape.slice(1, -1).map((size, i) => (size === null ? null : size * factor[i + 3 - axes]!));
    return [shape[0]!, ...spatial, this.options.filters];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs);
      const axes = (x.rank - 2) as 2 | 3;
      const { strides, activation, alpha } = this.options;
      const kernel = this.kernel.read();
      const y = fusedConv3dTranspose(
        (axes === 3 ? x : tf.expandDims(x, 1)) as tf.Tensor5D,
        (axes === 3 ? kernel : tf.expandDims(kernel, 0)) as tf.Tensor5D,
        this.bias?.read() as tf.Tensor1D | undefined,
        { strides: extent3(strides, axes), activation, alpha },
      );
      return axes === 3 ? y : tf.squeeze(y, [1]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.options, kernelInitializer: saveInitializer(this.kernelInitializer) } as tf.serialization.ConfigDict;
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
