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
 * activation(conv3d(x, filter) + bias), in one kernel where the engine has it. `same` padding is never negative: where a stride is larger than the filter, the
 * first tap lies on the first voxel, in volumes as in images. `tf.conv3d` begins inside the volume there on the stock backends, but not in TensorFlow.
 *
 * @shape x `[N, D, H, W, in]`, filter `[kD, kH, kW, in, out]`, bias `[out]` → `[N, D', H', W', out]`
 */
export function fusedConv3d(
  x: tf.Tensor5D,
  filter: tf.Tensor5D,
  bias: tf.Tensor1D | undefined,
  { strides = [1, 1, 1], dilations = [1, 1, 1], pad = "same", activation = "linear", alpha = LEAKY_SLOPE }: ConvOptions = {},
): tf.Tensor5D {
  const seen = pad === "same" ? seenExtent(x, filter, strides, dilations) : undefined;
  if (seen) {
    const part = tf.slice(x, [0, 0, 0, 0, 0], [x.shape[0], ...seen, x.shape[4]]);
    return fusedConv3d(part, filter, bias, { strides, dilations, pad, activation, alpha });
  }
  const kernel = activation === "linear" ? "FusedConv3D" : "FusedConv3DActivation";
  if (hasKernel(kernel)) {
    const inputs: Record<string, tf.Tensor> = bias ? { x, filter, bias } : { x, filter };
    return runKernel(kernel, inputs, { strides, dilations, pad, activation, alpha }) as tf.Tensor5D;
  }
  const y = tf.conv3d(x, filter, [...strides], pad, "NDHWC", [...dilations]);
  return applyActivation(bias ? tf.add(y, bias) : y, activation, alpha);
}

/** The extent that the filter reaches from the first voxel on, where strides skip the last voxels; `same` padding of it is 0 there. */
function seenExtent(x: tf.Tensor5D, filter: tf.Tensor5D, strides: Extent3, dilations: Extent3): [number, number, number] | undefined {
  const extents = [0, 1, 2].map((a) => {
    const extent = x.shape[a + 1]!;
    return extent === 0 ? 0 : Math.min(extent, (Math.ceil(extent / strides[a]!) - 1) * strides[a]! + (filter.shape[a]! - 1) * dilations[a]! + 1);
  }) as [number, number, number];
  return extents.every((extent, a) => extent === x.shape[a + 1]) ? undefined : extents;
}

/**
 * activation(conv3dTranspose(x, filter) + bias); `same` padding, so each extent grows by its stride. Where a stride is larger than the filter, the last voxels
 * of each stride are activation(bias).
 *
 * @shape x `[N, D, H, W, in]`, filter `[kD, kH, kW, out, in]` → `[N, D * sD, H * sH, W * sW, out]`
 */
export function fusedConv3dTranspose(
  x: tf.Tensor5D,
  filter: tf.Tensor5D,
  bias: tf.Tensor1D | undefined,
  { strides = [2, 2, 2], activation = "linear", alpha = LEAKY_SLOPE }: Omit<ConvOptions, "dilations" | "pad"> = {},
): tf.Tensor5D {
  // What the filter does not reach behind the last voxel: left out, so that no padding is negative, and put back as zeros.
  const gaps = strides.map((stride, a) => (x.shape[a + 1]! > 0 ? Math.max(0, stride - filter.shape[a]!) : 0));
  const [d, h, w] = strides.map((stride, a) => x.shape[a + 1]! * stride - gaps[a]!) as [number, number, number];
  const inputShape: [number, number, number, number, number] = [x.shape[0], d, h, w, filter.shape[3]];
  const hasGaps = gaps.some((gap) => gap > 0);
  const kernel = activation === "linear" ? "FusedConv3DTranspose" : "FusedConv3DTransposeActivation";
  if (hasKernel(kernel) && !hasGaps) {
    const inputs: Record<string, tf.Tensor> = bias ? { x, filter, bias } : { x, filter };
    return runKernel(kernel, inputs, { strides, pad: "same", inputShape, activation, alpha }) as tf.Tensor5D;
  }
  const reached = tf.conv3dTranspose(x, filter, inputShape, [...strides], "same");
  const y = hasGaps ? tf.pad(reached, [[0, 0], ...gaps.map((gap): [number, number] => [0, gap]), [0, 0]]) : reached;
  return applyActivation(bias ? tf.add(y, bias) : y, activation, alpha);
}
