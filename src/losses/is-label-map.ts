import type * as tf from "@tensorflow/tfjs-core";

/** Whether the target holds one int32 label per voxel of the logits, as the engine's fused sums take it. */
export function isLabelMap(logits: tf.Tensor, target: tf.Tensor): boolean {
  return (
    target.dtype === "int32" &&
    target.rank === logits.rank &&
    target.shape.every((extent, axis) => extent === (axis === target.rank - 1 ? 1 : logits.shape[axis]))
  );
}
