import * as tf from "@tensorflow/tfjs-core";
import type { Extent3 } from "./fused-conv3d.js";
import { hasKernel, runKernel } from "./run-kernel.js";

export interface UpSamplingOptions {
  readonly size?: Extent3;
  readonly interpolation?: "nearest" | "linear";
}

/**
 * Enlarges each extent by a whole factor, by repetition or by linear interpolation between voxel centers (half-pixel, edges repeated).
 *
 * @shape `[N, D, H, W, C]` → `[N, D * sD, H * sH, W * sW, C]`
 */
export function upSample3d(x: tf.Tensor5D, { size = [2, 2, 2], interpolation = "nearest" }: UpSamplingOptions = {}): tf.Tensor5D {
  if (hasKernel("UpSampling3D")) return runKernel("UpSampling3D", { x }, { size, interpolation }) as tf.Tensor5D;
  return tf.tidy(() => {
    let y: tf.Tensor = x;
    size.forEach((factor, i) => {
      if (factor !== 1) y = enlargeAxis(y, i + 1, factor, interpolation);
    });
    return (y === x ? tf.clone(x) : y) as tf.Tensor5D;
  });
}

function enlargeAxis(x: tf.Tensor, axis: number, factor: number, interpolation: "nearest" | "linear"): tf.Tensor {
  const shape = [...x.shape];
  const size = shape[axis]!;
  const outer = tf.util.sizeFromShape(shape.slice(0, axis));
  const inner = tf.util.sizeFromShape(shape.slice(axis + 1));
  shape[axis] = size * factor;
  if (interpolation === "nearest") return tf.reshape(tf.tile(tf.reshape(x, [outer * size, 1, inner]), [1, factor, 1]), shape);
  const weights = tf.tile(linearWeights(size, factor), [outer, 1, 1]);
  return tf.reshape(tf.matMul(weights, tf.reshape(x, [outer, size, inner])), shape);
}

/** [1, size * factor, size]: row i holds the two weights of output i. */
function linearWeights(size: number, factor: number): tf.Tensor3D {
  const weights = new Float32Array(size * factor * size);
  for (let i = 0; i < size * factor; i++) {
    const at = Math.min(size - 1, Math.max(0, (i + 0.5) / factor - 0.5));
    const low = Math.floor(at);
    weights[i * size + low]! += 1 - (at - low);
    if (low + 1 < size) weights[i * size + low + 1]! += at - low;
  }
  return tf.tensor3d(weights, [1, size * factor, size]);
}
