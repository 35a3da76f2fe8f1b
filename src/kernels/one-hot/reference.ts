import type { LabelArray } from "../label-array.js";

/** Returns the index of the first label that is not below `classes`, or -1. */
export function oneHotReference(labels: LabelArray, output: Float32Array | Uint8Array, classes: number): number {
  output.fill(0);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label >= classes) return i;
    output[i * classes + label] = 1;
  }
  return -1;
}
