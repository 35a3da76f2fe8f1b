import type { LabelArray } from "../../workers/steps/step.js";

/** Some voxels of every label above 0, as flat indices, by label. */
export type ForegroundPoints = Readonly<Record<string, readonly number[]>>;

/** Enough that patches around them reach every part of an organ, few enough for a cache record. */
const POINTS_PER_LABEL = 256;

/** Every n-th voxel of each label, so that the points lie all over it and depend on nothing but the label map. */
export function foregroundPoints(labels: LabelArray): ForegroundPoints {
  const counts = new Uint32Array(labels instanceof Uint8Array ? 256 : 65536);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  const seen = new Uint32Array(counts.length);
  const points: Record<string, number[]> = {};
  for (let label = 1; label < counts.length; label++) if (counts[label]! > 0) points[label] = [];
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label === 0) continue;
    const stride = Math.ceil(counts[label]! / POINTS_PER_LABEL);
    // From the middle of the first stride: the very first voxel of an organ is its tip.
    if (seen[label]!++ % stride === Math.floor(stride / 2)) points[label]!.push(i);
  }
  // A label with fewer voxels than half a stride cannot be, since the stride is at most its count.
  return points;
}
