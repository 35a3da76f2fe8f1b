import type { LabelArray } from "../label-array.js";
import { native } from "../native.js";
import { labelCountsReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    labelCounts?(labels: LabelArray): Float64Array;
  }
}

/**
 * Voxels of each label, from 0 to the largest label that occurs (at least one entry). Extra memory: at most 2 MiB.
 */
export function labelCounts(labels: LabelArray): Float64Array {
  const addon = native();
  const counts = addon?.labelCounts ? addon.labelCounts(labels) : labelCountsReference(labels);
  let end = counts.length;
  while (end > 1 && counts[end - 1] === 0) end--;
  return counts.subarray(0, end);
}
