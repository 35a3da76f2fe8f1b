import type { ConfusionCounts } from "./confusion-counts.js";

/**
 * Which of the two masks of a case and class hold voxels. Every metric states what it gives for each; tables keep the state, so that an absent organ
 * is never mistaken for a bad or a perfect segmentation.
 */
export type MaskState = "ok" | "both_empty" | "ref_empty" | "pred_empty";

/** Which of the two masks hold voxels, from the counts of their voxels. */
export function maskState({ truePositives, falsePositives, falseNegatives }: ConfusionCounts): MaskState {
  const hasPrediction = truePositives + falsePositives > 0;
  const hasReference = truePositives + falseNegatives > 0;
  if (hasPrediction) return hasReference ? "ok" : "ref_empty";
  return hasReference ? "pred_empty" : "both_empty";
}
