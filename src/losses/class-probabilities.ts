import * as tf from "@tensorflow/tfjs-core";
import { VoxError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";

export interface IgnoreOptions {
  /** Label whose voxels count for nothing, such as 255 for what nobody has annotated. */
  readonly ignore?: number | undefined;
}

/** Per voxel and class, each of shape (batch, voxels, classes). */
export interface ClassProbabilities {
  /** Softmax; 0 for all classes of an ignored voxel. */
  readonly p: tf.Tensor3D;
  readonly logP: tf.Tensor3D;
  /** 1 for the true class; 0 for all classes of an ignored voxel. */
  readonly t: tf.Tensor3D;
  /** Voxels that count, over the batch; at least 1, so that a mean over none is 0. */
  readonly voxels: tf.Scalar;
}

/**
 * Softmax, its logarithm, and the target as one-hot, for losses that look at each voxel.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) int32 or (batch, …, classes) one-hot → three times (batch, voxels, classes)
 * @throws `ERR_SHAPE` when target and logits differ in batch or extent, or a label is to be ignored in a one-hot target
 */
export function classProbabilities(logits: tf.Tensor, target: tf.Tensor, { ignore }: IgnoreOptions = {}): ClassProbabilities {
  const channels = requireTarget(logits, target);
  const classes = logits.shape.at(-1)!;
  const shape: [number, number, number] = [logits.shape[0]!, logits.size / classes / logits.shape[0]!, classes];
  const flat = tf.reshape(logits, shape) as tf.Tensor3D;
  if (channels > 1 && ignore !== undefined) {
    throw new VoxError(`a label can be ignored only in targets of label indices, got one-hot of ${formatShape(target.shape)}`, {
      code: "ERR_SHAPE",
      where: "loss",
    });
  }
  const labels = channels > 1 ? undefined : (tf.cast(tf.reshape(target, [-1]), "int32") as tf.Tensor1D);
  const counts =
    ignore === undefined || !labels
      ? undefined
      : tf.reshape(tf.cast(tf.notEqual(labels, tf.scalar(ignore, "int32")), "float32"), [shape[0], shape[1], 1]);
  const counted = (values: tf.Tensor3D): tf.Tensor3D => (counts ? tf.mul(values, counts) : values);
  // Each is made when it is asked for: they are as large as the logits, and few losses need all.
  const made: { p?: tf.Tensor3D; logP?: tf.Tensor3D; t?: tf.Tensor3D } = {};
  return {
    get p() {
      made.p ??= counted(tf.softmax(flat));
      return made.p;
    },
    get logP() {
      made.logP ??= tf.logSoftmax(flat);
      return made.logP;
    },
    get t() {
      made.t ??= counted(tf.reshape(tf.cast(labels ? tf.oneHot(labels, classes) : target, "float32"), shape) as tf.Tensor3D);
      return made.t;
    },
    voxels: counts ? (tf.maximum(tf.sum(counts), 1) as tf.Scalar) : tf.scalar(shape[0] * shape[1]),
  };
}

/** The channels of a target that fits the logits. */
export function requireTarget(logits: tf.Tensor, target: tf.Tensor): number {
  const channels = target.shape.at(-1)!;
  if (
    target.rank !== logits.rank ||
    logits.shape.slice(0, -1).some((extent, axis) => extent !== target.shape[axis]) ||
    (channels !== 1 && channels !== logits.shape.at(-1))
  ) {
    throw new VoxError(
      `the target must have the shape of the logits ${formatShape(logits.shape)}, or 1 channel of labels, got ${formatShape(target.shape)}`,
      {
        code: "ERR_SHAPE",
        where: "loss",
      },
    );
  }
  return channels;
}
