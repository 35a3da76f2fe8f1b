import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { requireOption } from "../../core/errors.js";
import type { FusedActivation } from "../ops/fused-activation.js";
import type { Extent3 } from "../ops/fused-conv3d.js";
import { type Initializer, restoreInitializer, type SavedInitializer, saveInitializer } from "./initializer.js";
import { channelsOf, type LayerArguments, type LayerShape, onlyShape, onlyTensor } from "./layer-shape.js";

/** An extent per axis, or one for all. In 2D there are two. */
export type LayerExtent = number | readonly number[];

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

/** Two spatial axes for images (rank 4), three for volumes (rank 5). */
export function spatialAxes(rank: number): 2 | 3 {
  return (rank - 2) as 2 | 3;
}

interface KernelOptions {
  readonly filters: number;
  readonly kernelSize: LayerExtent;
  readonly strides: LayerExtent;
  readonly activation: FusedActivation;
  readonly alpha: number;
  readonly useBias: boolean;
}

/** What convolutions and transposed convolutions share: kernel and bias, saved options, and images as volumes of depth 1. */
export abstract class KernelLayer<Options extends KernelOptions> extends tfl.layers.Layer {
  private readonly kernelInitializer: Initializer;
  private kernel!: tfl.LayerVariable;
  private bias: tfl.LayerVariable | undefined;

  constructor(
    where: string,
    args: LayerArguments & { readonly kernelInitializer?: Initializer | SavedInitializer },
    protected readonly options: Options,
  ) {
    super(args);
    const { filters, kernelSize, strides, activation, alpha } = options;
    requireOption(Number.isInteger(filters) && filters >= 1, where, "filters", "an integer >= 1", filters);
    requireExtent(kernelSize, where, "kernelSize");
    requireExtent(strides, where, "strides");
    requireOption(["linear", "relu", "leakyRelu"].includes(activation), where, "activation", "linear, relu or leakyRelu", activation);
    requireOption(alpha >= 0 && alpha < 1, where, "alpha", "in [0, 1)", alpha);
    this.kernelInitializer = restoreInitializer(args.kernelInitializer);
  }

  /** The channels of the kernel, behind its extents, for an input of so many channels. */
  protected abstract kernelChannels(channels: number): [number, number];

  protected abstract convolve(volume: tf.Tensor5D, filter: tf.Tensor5D, bias: tf.Tensor1D | undefined, axes: 2 | 3): tf.Tensor5D;

  override build(inputShape: LayerShape | LayerShape[]): void {
    const axes = spatialAxes(onlyShape(inputShape).length);
    const shape = [...extent3(this.options.kernelSize, axes).slice(3 - axes), ...this.kernelChannels(channelsOf(inputShape))];
    this.kernel = this.addWeight("kernel", shape, "float32", this.kernelInitializer, undefined, true);
    if (this.options.useBias) this.bias = this.addWeight("bias", [this.options.filters], "float32", tfl.initializers.zeros(), undefined, true);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs);
      const axes = spatialAxes(x.rank);
      const kernel = this.kernel.read();
      const [volume, filter] = (axes === 3 ? [x, kernel] : [tf.expandDims(x, 1), tf.expandDims(kernel, 0)]) as [tf.Tensor5D, tf.Tensor5D];
      const y = this.convolve(volume, filter, this.bias?.read() as tf.Tensor1D | undefined, axes);
      return axes === 3 ? y : tf.squeeze(y, [1]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.options, kernelInitializer: saveInitializer(this.kernelInitializer) } as tf.serialization.ConfigDict;
  }
}
