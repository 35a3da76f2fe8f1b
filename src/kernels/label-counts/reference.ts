import type { LabelArray } from "../label-array.js";

export function labelCountsReference(labels: LabelArray): Float64Array {
  const counts = new Float64Array(labels instanceof Uint8Array ? 256 : 65536);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  return counts;
}
