import * as tf from "@tensorflow/tfjs-core";
import { VoxError } from "../../core/errors.js";
import { sampleName } from "../../core/sample.js";
import { formatShape } from "../../core/shape.js";
import type { TrainingBatch } from "../hosting/batch-source.js";

export interface BatchTensors {
  /** float32 `[batch, depth, height, width, channels]`, without depth for a 2D network. */
  readonly image: tf.Tensor;
  /** int32 labels with one channel, or float32 one-hot. */
  readonly target: tf.Tensor;
}

/**
 * Tensors over a batch. The image is a view: it must be disposed before the batch is released.
 *
 * @throws `ERR_SHAPE` when the batch does not fit the network's input; `ERR_LABEL` when it lacks labels or holds one that is neither a class nor `ignore`
 */
export function batchTensors(batch: TrainingBatch, input: readonly (number | null)[], classes: number, ignore?: number): BatchTensors {
  const { image, label } = batch;
  const name = batch.parts[0] ? sampleName(batch.parts[0]) : "unknown";
  const isFlat = input.length === 4;
  const fitted = (shape: readonly number[]): number[] => (isFlat ? [shape[0]!, ...shape.slice(2)] : [...shape]);
  if ((isFlat && image.shape[1] !== 1) || fitted(image.shape).some((extent, axis) => input[axis] !== null && extent !== input[axis])) {
    const wanted = input.map((extent) => extent ?? "n").join("x");
    throw new VoxError(`a batch must fit the network's input ${wanted}, got ${formatShape(image.shape)}`, {
      code: "ERR_SHAPE",
      where: "trainer",
      sampleId: name,
    });
  }
  if (!label) throw new VoxError("a batch must have labels to train on", { code: "ERR_LABEL", where: "trainer", sampleId: name });
  const channels = label.shape[4];
  if (channels !== 1 && channels !== classes) {
    throw new VoxError(`labels must have 1 channel, or ${classes} as one-hot, got ${channels}`, {
      code: "ERR_SHAPE",
      where: "trainer",
      sampleId: name,
    });
  }
  return {
    image: tf.tensor(image.data, fitted(image.shape), "float32"),
    target:
      channels === 1
        ? tf.tensor(indices(label.data, classes, ignore, batch), fitted(label.shape), "int32")
        : tf.tensor(Float32Array.from(label.data), fitted(label.shape), "float32"),
  };
}

/** Labels as int32; a label that is no class would silently count as none in a one-hot. */
function indices(labels: ArrayLike<number>, classes: number, ignore: number | undefined, batch: TrainingBatch): Int32Array {
  const values = new Int32Array(labels.length);
  let largest = 0;
  for (let i = 0; i < labels.length; i++) {
    const value = labels[i]!;
    values[i] = value;
    if (value > largest && value !== ignore) largest = value;
  }
  if (largest >= classes) {
    const at = values.indexOf(largest);
    const part = batch.parts[Math.floor(at / (labels.length / batch.parts.length))];
    throw new VoxError(`labels must be below the number of classes, ${classes}, got ${largest}`, {
      code: "ERR_LABEL",
      where: "trainer",
      ...(part && { sampleId: sampleName(part) }),
    });
  }
  return values;
}
