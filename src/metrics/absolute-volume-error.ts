import type { LabelComparison } from "./label-comparison.js";

/**
 * |V_A - V_B| in mm³, lower is better. Both masks empty: 0; else the volume of the one that is there.
 *
 * @units mm³
 * @source own: volumes are counts of voxels times their size
 * @example
 * absoluteVolumeError(comparison.of(1));
 */
export function absoluteVolumeError({ counts, voxelVolume }: LabelComparison): number {
  return Math.abs(counts.falsePositives - counts.falseNegatives) * voxelVolume;
}
