import * as tf from "@tensorflow/tfjs-core";
import { sampleName } from "../../core/sample.js";
import { elementCount, type Shape4 } from "../../core/shape.js";
import type { TrainingBatch } from "../hosting/batch-source.js";
import type { PreviewInput } from "../run/preview-input.js";

/** A patch with what the network says to it. */
export interface CapturedPreview extends Pick<PreviewInput, "id" | "image" | "shape" | "label" | "prediction"> {
  /** Voxels above label 0. */
  readonly foreground: number;
}

/**
 * Copies the sample with the most foreground out of a batch, and what the network says to it: a patch of nothing shows nothing. Undefined when none has
 * more than `than`, the one that is already there.
 */
export async function capturePreview(batch: TrainingBatch, logits: tf.Tensor, than = -1): Promise<CapturedPreview | undefined> {
  const { image, parts } = batch;
  const shape: Shape4 = [image.shape[1], image.shape[2], image.shape[3], image.shape[4]];
  const each = elementCount(shape);
  const voxels = each / shape[3];
  let best: { readonly sample: number; readonly label: Uint16Array; readonly foreground: number } | undefined;
  for (let sample = 0; sample < image.shape[0]; sample++) {
    const label = labelOf(batch, sample, voxels);
    const foreground = label.reduce((count, value) => count + Number(value > 0), 0);
    if (foreground > (best?.foreground ?? than)) best = { sample, label, foreground };
  }
  if (!best) return undefined;
  const { sample, label, foreground } = best;
  const classes = logits.shape[logits.rank - 1]!;
  const predicted = tf.tidy(() => tf.argMax(tf.slice(tf.reshape(logits, [-1, classes]), [sample * voxels, 0], [voxels, classes]), -1));
  const prediction = await predicted.data();
  predicted.dispose();
  return {
    id: parts[sample] ? sampleName(parts[sample]) : "unknown",
    image: image.data.slice(sample * each, (sample + 1) * each),
    shape,
    label,
    prediction: Uint16Array.from(prediction),
    foreground,
  };
}

/** The label of each voxel, from indices or one-hot. */
function labelOf({ label }: TrainingBatch, sample: number, voxels: number): Uint16Array {
  if (!label) return new Uint16Array(voxels);
  const channels = label.shape[4];
  const values = label.data.subarray(sample * voxels * channels, (sample + 1) * voxels * channels);
  if (channels === 1) return Uint16Array.from(values);
  return Uint16Array.from({ length: voxels }, (_, voxel) => {
    for (let c = 1; c < channels; c++) if (values[voxel * channels + c]! > 0.5) return c;
    return 0;
  });
}
