import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { type FusedActivation, LEAKY_SLOPE } from "../ops/fused-activation.js";
import { normalize, normalizeWith } from "../ops/normalize.js";
import { LAYER_OPTIONS } from "./layer-options.js";
import { channelsOf, type LayerArguments, type LayerShape, onlyShape, onlyTensor } from "./layer-shape.js";

export interface BatchNormalizationOptions extends LayerArguments {
  /** Share of the moving statistics that stays at each step; Keras' default. */
  readonly momentum?: number;
  readonly epsilon?: number;
  readonly activation?: FusedActivation;
  readonly alpha?: number;
  /** Whether a learned factor per channel follows; a learned shift does in any case. */
  readonly scale?: boolean;
}

export interface InstanceNormalizationOptions extends LayerArguments {
  readonly epsilon?: number;
  readonly activation?: FusedActivation;
  readonly alpha?: number;
}

export interface GroupNormalizationOptions extends InstanceNormalizationOptions {
  readonly groups: number;
}

export interface NormalizationArguments extends LayerArguments {
  readonly over: "batch" | "instance" | "group";
  readonly groups?: number;
  readonly momentum?: number;
  readonly epsilon?: number;
  readonly activation?: FusedActivation;
  readonly alpha?: number;
  readonly scale?: boolean;
}

export class NormalizationLayer extends tfl.layers.Layer {
  static className = "VoxNormalization";
  private readonly options: Required<Omit<NormalizationArguments, keyof LayerArguments>>;
  private gamma: tfl.LayerVariable | undefined;
  private beta!: tfl.LayerVariable;
  private movingMean: tfl.LayerVariable | undefined;
  private movingVariance: tfl.LayerVariable | undefined;

  constructor(args: NormalizationArguments) {
    super(args);
    const {
      over,
      groups = 1,
      momentum = 0.99,
      epsilon = over === "batch" ? 1e-3 : 1e-5,
      activation = "linear",
      alpha = LEAKY_SLOPE,
      scale = true,
    } = args;
    const where = `${over}Normalization`;
    requireOption(["batch", "instance", "group"].includes(over), "normalization", "over", "batch, instance or group", over);
    requireOption(Number.isInteger(groups) && groups >= 1, where, "groups", "an integer >= 1", groups);
    requireOption(momentum >= 0 && momentum <= 1, where, "momentum", "in [0, 1]", momentum);
    requireOption(epsilon > 0, where, "epsilon", "> 0", epsilon);
    requireOption(["linear", "relu", "leakyRelu"].includes(activation), where, "activation", "linear, relu or leakyRelu", activation);
    requireOption(alpha >= 0 && alpha < 1, where, "alpha", "in [0, 1)", alpha);
    this.options = { over, groups, momentum, epsilon, activation, alpha, scale };
  }

  override build(inputShape: LayerShape | LayerShape[]): void {
    const channels = channelsOf(inputShape);
    const { over, groups, scale } = this.options;
    requireOption(over !== "group" || channels % groups === 0, "groupNormalization", "groups", `a divisor of the ${channels} channels`, groups);
    if (scale) this.gamma = this.addWeight("gamma", [channels], "float32", tfl.initializers.ones(), undefined, true);
    this.beta = this.addWeight("beta", [channels], "float32", tfl.initializers.zeros(), undefined, true);
    if (over === "batch") {
      this.movingMean = this.addWeight("moving_mean", [channels], "float32", tfl.initializers.zeros(), undefined, false);
      this.movingVariance = this.addWeight("moving_variance", [channels], "float32", tfl.initializers.ones(), undefined, false);
    }
    this.built = true;
  }

  override computeOutputShape(inputShape: LayerShape | LayerShape[]): LayerShape {
    return onlyShape(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs);
      const gamma = (this.gamma?.read() ?? tf.onesLike(this.beta.read())) as tf.Tensor1D;
      const beta = this.beta.read() as tf.Tensor1D;
      const { over, groups, momentum, epsilon, activation, alpha } = this.options;
      // A frozen layer keeps its statistics too, as in Keras.
      if (over === "batch" && !(kwargs.training && this.trainable)) {
        const mean = this.movingMean!.read() as tf.Tensor1D;
        const variance = this.movingVariance!.read() as tf.Tensor1D;
        return normalizeWith(x, gamma, beta, mean, variance, { epsilon, activation, alpha });
      }
      const { y, mean, variance } = normalize(x, gamma, beta, { over, groups, epsilon, activation, alpha });
      if (over === "batch") {
        follow(this.movingMean!, mean, momentum);
        follow(this.movingVariance!, variance, momentum);
      }
      return y;
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.options } as tf.serialization.ConfigDict;
  }
}
tf.serialization.registerClass(NormalizationLayer as unknown as tf.serialization.SerializableConstructor<NormalizationLayer>);

function follow(moving: tfl.LayerVariable, value: tf.Tensor, momentum: number): void {
  tf.tidy(() => {
    const old = moving.read();
    moving.write(tf.sub(old, tf.mul(tf.sub(old, value), 1 - momentum)));
  });
}

/**
 * Normalizes each channel over batch and extent in training, by moving statistics in prediction; any rank, channels last. The stock layer has no rank 5.
 *
 * @source Ioffe and Szegedy 2015; momentum and epsilon of Keras
 * @throws `ERR_OPTION` for options outside their rule
 */
export function batchNormalization(options: BatchNormalizationOptions = {}): tfl.layers.Layer {
  requireKnownOptions("batchNormalization", options, ["momentum", "epsilon", "activation", "alpha", "scale", ...LAYER_OPTIONS]);
  return new NormalizationLayer({ ...options, over: "batch" });
}

/**
 * Normalizes each channel of each sample over its extent, then scales and shifts.
 *
 * @source Ulyanov et al. 2016
 * @throws `ERR_OPTION` for options outside their rule
 */
export function instanceNormalization(options: InstanceNormalizationOptions = {}): tfl.layers.Layer {
  requireKnownOptions("instanceNormalization", options, ["epsilon", "activation", "alpha", ...LAYER_OPTIONS]);
  return new NormalizationLayer({ ...options, over: "instance" });
}

/**
 * Normalizes groups of neighboring channels of each sample, then scales and shifts each channel.
 *
 * @source Wu and He 2018
 * @throws `ERR_OPTION` when the groups do not divide the channels
 */
export function groupNormalization(options: GroupNormalizationOptions): tfl.layers.Layer {
  requireKnownOptions("groupNormalization", options, ["groups", "epsilon", "activation", "alpha", ...LAYER_OPTIONS]);
  return new NormalizationLayer({ ...options, over: "group" });
}
