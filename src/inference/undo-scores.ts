import { VoxError } from "../core/errors.js";
import type { HistoryEntry } from "../core/sample.js";
import { elementCount, type Shape4, spatial, type Triple } from "../core/shape.js";
import { findStep } from "../workers/steps/find-step.js";

/**
 * Takes the scores of one class back over all steps that moved voxels, the last one first. One class at a time needs memory for one on the loaded grid,
 * not for all.
 *
 * @shape (D, H, W) → the grid that was loaded
 * @throws `ERR_BUNDLE` when a step has moved voxels and cannot be undone
 * @example
 * undoScores(kidney, [40, 80, 80], sample.history, () => false).shape; // the case's own
 */
export function undoScores(
  scores: Float32Array,
  shape: Triple,
  history: readonly HistoryEntry[],
  isStopped: () => boolean,
  /** What voxels get that preprocessing has cropped away; 1 for the background, as long as scores are probabilities. */
  outside = 0,
): { readonly scores: Float32Array; readonly shape: Triple } {
  let moved = scores;
  let size = shape;
  for (const { operator, params, before } of [...history].reverse()) {
    if (!before) continue;
    const inverse = findStep(operator)?.inverse;
    if (!inverse) {
      throw new VoxError(`a step that moves voxels must be known with its inverse, got ${operator}`, { code: "ERR_BUNDLE", where: "undoScores" });
    }
    const target = spatial(before.shape);
    const one = ([depth, height, width]: Triple): Shape4 => [depth, height, width, 1];
    const back = new Float32Array(elementCount(target));
    inverse.probabilities(moved, back, { params, shape: one(size), target: one(target), geometry: before.geometry, outside, isStopped });
    moved = back;
    size = target;
  }
  return { scores: moved, shape: size };
}
