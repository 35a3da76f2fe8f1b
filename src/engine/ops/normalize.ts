import * as tf from "@tensorflow/tfjs-core";
import { applyActivation, type FusedActivation, LEAKY_SLOPE } from "./fused-activation.js";
import { hasKernel, runKernels } from "./run-kernel.js";

export interface NormalizationOptions {
  /** Over which values mean and variance run: all samples, each sample, or each sample's groups of channels. */
  readonly over: "batch" | "instance" | "group";
  /** Number of groups for `group`. */
  readonly groups?: number;
  readonly epsilon?: number;
  readonly activation?: FusedActivation;
  readonly alpha?: number;
}

export interface Normalized {
  readonly y: tf.Tensor;
  /** Statistics per (sample, group), or per channel for `batch`; without gradient. */
  readonly mean: tf.Tensor;
  /** Biased variance (divided by the count). */
  readonly variance: tf.Tensor;
}

/**
 * activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta) for channels-last volumes or images.
 *
 * @shape x `[N, ..., C]`, gamma and beta `[C]`
 * @source Ioffe and Szegedy 2015 (batch); Ulyanov et al. 2016 (instance); Wu and He 2018 (group)
 */
export function normalize(
  x: tf.Tensor,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  { over, groups = 1, epsilon = 1e-5, activation = "linear", alpha = LEAKY_SLOPE }: NormalizationOptions,
): Normalized {
  const channels = x.shape[x.rank - 1]!;
  const segments = over === "batch" ? 1 : x.shape[0]!;
  const sets = over === "group" ? groups : channels;
  if (hasKernel("FusedNormalization")) {
    const [y, mean, variance] = runKernels("FusedNormalization", { x, gamma, beta }, { segments, sets, epsilon, activation, alpha });
    return { y: y!, mean: mean!, variance: variance! };
  }
  const rows = tf.util.sizeFromShape(x.shape.slice(over === "batch" ? 0 : 1, -1));
  const grouped = tf.reshape(x, [segments, rows, sets, channels / sets]);
  const { mean, variance } = tf.moments(grouped, [1, 3], true);
  const scaled = tf.mul(tf.sub(grouped, mean), tf.rsqrt(tf.add(variance, epsilon)));
  const y = tf.add(tf.mul(tf.reshape(scaled, x.shape), gamma), beta);
  return { y: applyActivation(y, activation, alpha), mean: tf.reshape(mean, [segments * sets]), variance: tf.reshape(variance, [segments * sets]) };
}

/** The same with given statistics per channel, as batch normalization predicts: x times a scale plus a shift. */
export function normalizeWith(
  x: tf.Tensor,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  mean: tf.Tensor1D,
  variance: tf.Tensor1D,
  { epsilon = 1e-5, activation = "linear", alpha = LEAKY_SLOPE }: Omit<NormalizationOptions, "over" | "groups"> = {},
): tf.Tensor {
  if (hasKernel("FusedNormalizationGiven")) {
    const attrs = { segments: 1, sets: gamma.size, epsilon, activation, alpha };
    return runKernels("FusedNormalizationGiven", { x, gamma, beta, mean, variance }, attrs)[0]!;
  }
  const scale = tf.mul(gamma, tf.rsqrt(tf.add(variance, epsilon)));
  const shift = tf.sub(beta, tf.mul(mean, scale));
  return applyActivation(tf.add(tf.mul(x, scale), shift), activation, alpha);
}
