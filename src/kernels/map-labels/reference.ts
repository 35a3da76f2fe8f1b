import type { LabelArray } from "../label-array.js";

/** Returns the index of the first label that the table lacks, or -1. */
export function mapLabelsReference(input: LabelArray, output: LabelArray, table: Uint16Array): number {
  for (let i = 0; i < input.length; i++) {
    const label = input[i]!;
    if (label >= table.length) return i;
    output[i] = table[label]!;
  }
  return -1;
}
