/** Voxels of one label in one case: A = prediction, B = reference. */
export interface ConfusionCounts {
  /** |A ∩ B|. */
  readonly truePositives: number;
  /** |A \ B|. */
  readonly falsePositives: number;
  /** |B \ A|. */
  readonly falseNegatives: number;
  /** Voxels in neither. */
  readonly trueNegatives: number;
}
