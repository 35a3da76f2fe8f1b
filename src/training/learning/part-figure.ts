import * as tf from "@tensorflow/tfjs-core";
import { describe, errorMessage, isVoxError, VoxError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";

/**
 * What a loss or metric, perhaps a user's own, gives for a batch. The name stands in front of whatever it throws.
 *
 * @throws `ERR_TRAINING` when it throws, gives no tensor, or, as a loss, more than one number
 */
export function partFigure(kind: "loss" | "metric", name: string, compute: () => tf.Tensor): tf.Tensor {
  const where = `${kind} ${name || "without a name"}`;
  let value: unknown;
  try {
    value = compute();
  } catch (error) {
    throw isVoxError(error) ? error : new VoxError(`it fails: ${errorMessage(error)}`, { code: "ERR_TRAINING", where, cause: error });
  }
  if (!(value instanceof tf.Tensor)) throw new VoxError(`it must give a tensor, got ${describe(value)}`, { code: "ERR_TRAINING", where });
  if (kind === "loss" && value.rank !== 0) {
    throw new VoxError(`it must give one number, tf.Scalar, got a tensor of ${formatShape(value.shape)}`, { code: "ERR_TRAINING", where });
  }
  return value;
}
