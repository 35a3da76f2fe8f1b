import * as tf from "@tensorflow/tfjs-core";
import { sampleName } from "../core/sample.js";
import { elementCount, type Shape4 } from "../core/shape.js";
import type { TrainingBatch } from "./batch-source.js";
import type { PreviewInput } from "./preview-input.js";

/** Copies of the first sample of a batch and of what the network says to it. */
export function capturePreview(batch: TrainingBatch, logits: tf.Tensor): Pick<PreviewInput, "id" | "image" | "shape" | "label" | "prediction"> {
  const { image, label, parts } = batch;
  const shape: Shape4 = [image.shape[1], image.shape[2], image.shape[3], image.shape[4]];
  const voxels = elementCount(shape) / shape[3];
  const classes = logits.shape[logits.rank - 1]!;
  const prediction = tf.tidy(() => tf.argMax(tf.slice(tf.reshape(logits, [-1, classes]), 0, voxels), -1).dataSync());
  const channels = label?.shape[4] ?? 1;
  const truth = Uint16Array.from({ length: voxels }, (_, voxel) => {
    if (!label) return 0;
    if (channels === 1) return label.data[voxel]!;
    for (let c = 0; c < channels; c++) if (label.data[voxel * channels + c]! > 0.5) return c;
    return 0;
  });
  return {
    id: parts[0] ? sampleName(parts[0]) : "unknown",
    image: image.data.slice(0, elementCount(shape)),
    shape,
    label: truth,
    prediction: Uint16Array.from(prediction),
  };
}
