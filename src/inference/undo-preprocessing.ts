import { VoxError } from "../core/errors.js";
import type { HistoryEntry } from "../core/sample.js";
import { elementCount, formatShape, type Shape4, spatial, type Triple } from "../core/shape.js";
import type { LabelArray } from "../kernels/label-array.js";
import { findStep } from "../workers/steps/find-step.js";

export interface PreprocessedPrediction {
  readonly labels: LabelArray;
  /** `(D, H, W, classes)`. */
  readonly probabilities?: Float32Array;
  readonly shape: Triple;
  readonly classes: number;
  /** Of the sample that was predicted. */
  readonly history: readonly HistoryEntry[];
  readonly isStopped?: () => boolean;
}

/**
 * Takes a prediction back over all steps that moved voxels, the last one first: padding is cropped, what was cropped becomes background, axes turn back,
 * resampled labels come back by the label order of the step (no new classes), probabilities linearly. What comes out lies on the grid that was loaded.
 *
 * @label moved back; never interpolated into a class that was not there
 * @throws `ERR_BUNDLE` when a step has moved voxels and cannot be undone
 * @example
 * undoPreprocessing({ labels, shape, classes: 3, history: sample.history }).shape; // the case's own
 */
export function undoPreprocessing(prediction: PreprocessedPrediction): {
  readonly labels: LabelArray;
  readonly probabilities?: Float32Array;
  readonly shape: Triple;
} {
  const { classes, history, isStopped = () => false } = prediction;
  let { labels, probabilities, shape } = prediction;
  for (const { operator, params, before } of [...history].reverse()) {
    const inverse = findStep(operator)?.inverse;
    if (!before) continue;
    if (!inverse)
      throw new VoxError(`a step that moves voxels must be known with its inverse, got ${operator}`, {
        code: "ERR_BUNDLE",
        where: "undoPreprocessing",
      });
    const target = spatial(before.shape);
    const as = (size: Triple, channels: number): Shape4 => [size[0], size[1], size[2], channels];
    const { geometry } = before;
    const moved = labels instanceof Uint8Array ? new Uint8Array(elementCount(target)) : new Uint16Array(elementCount(target));
    inverse.labels(labels, moved, { params, shape: as(shape, 1), target: as(target, 1), geometry, isStopped });
    labels = moved;
    if (probabilities) {
      const scores = new Float32Array(elementCount(target) * classes);
      inverse.probabilities(probabilities, scores, { params, shape: as(shape, classes), target: as(target, classes), geometry, isStopped });
      probabilities = scores;
    }
    shape = target;
  }
  if (labels.length !== elementCount(shape)) {
    throw new VoxError(`the prediction must have ${elementCount(shape)} voxels for ${formatShape(shape)}, got ${labels.length}`, {
      code: "ERR_SHAPE",
      where: "undoPreprocessing",
    });
  }
  return { labels, ...(probabilities && { probabilities }), shape };
}
