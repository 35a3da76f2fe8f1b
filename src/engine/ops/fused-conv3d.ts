import * as tf from "@tensorflow/tfjs-core";
import { applyActivation, type FusedActivation, LEAKY_SLOPE } from "./fused-activation.js";
import { hasKernel, runKernel } from "./run-kernel.js";

export type Extent3 = readonly [number, number, number];

export interface ConvOptions {
  readonly strides?: Extent3;
  readonly dilations?: Extent3;
  readonly pad?: "same" | "valid";
  readonly activation?: FusedActivation;
  /** Slope of leaky ReLU. */
  readonly alpha?: number;
}

/**
 * activation(conv3d(x, filter) + bias), in one kernel where the engine has it.
 *
 * @shape x `[N, D, H, W, in]`, filter `[kD, kH, kW, in, out]`, bias `[out]` → `[N, D', H', W', out]`
 */
export function fusedConv3d(
  x: tf.Tensor5D,
  filter: tf.Tensor5D,
  bias: tf.Tensor1D | undefined,
  { strides = [1, 1, 1], dilations = [1, 1, 1], pad = "same", activation = "linear", alpha = LEAKY_SLOPE }: ConvOptions = {},
): tf.Tensor5D {
  const kernel = activation === "linear" ? "FusedConv3D" : "FusedConv3DActivation";
  if (hasKernel(kernel)) {
    const inputs: Record<string, tf.Tensor> = bias ? { x, filter, bias } : { x, filter };
    return runKernel(kernel, inputs, { strides, dilations, pad, activation, alpha }) as tf.Tensor5D;
  }
  const y = tf.conv3d(x, filter, [...strides], pad, "NDHWC", [...dilations]);
  return applyActivation(bias ? tf.add(y, bias) : y, activation, alpha);
}

/**
 * activation(conv3dTranspose(x, filter) + bias); `same` padding, so each extent grows by its stride.
 *
 * @shape x `[N, D, H, W, in]`, filter `[kD, kH, kW, out, in]` → `[N, D * sD, H * sH, W * sW, out]`
 */
export function fusedConv3dTranspose(
  x: tf.Tensor5D,
  filter: tf.Tensor5D,
  bias: tf.Tensor1D | undefined,
  { strides = [2, 2, 2], activation = "linear", alpha = LEAKY_SLOPE }: Omit<ConvOptions, "dilations" | "pad"> = {},
): tf.Tensor5D {
  const [n, d, h, w] = x.shape;
  const inputShape: [number, number, number, number, number] = [n, d * strides[0], h * strides[1], w * strides[2], filter.shape[3]];
  const kernel = activation === "linear" ? "FusedConv3DTranspose" : "FusedConv3DTransposeActivation";
  if (hasKernel(kernel)) {
    const inputs: Record<string, tf.Tensor> = bias ? { x, filter, bias } : { x, filter };
    return runKernel(kernel, inputs, { strides, pad: "same", inputShape, activation, alpha }) as tf.Tensor5D;
  }
  const y = tf.conv3dTranspose(x, filter, inputShape, [...strides], "same");
  return applyActivation(bias ? tf.add(y, bias) : y, activation, alpha);
}
