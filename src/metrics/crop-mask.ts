// Internal: what surfaces and lesions have in common.
import type { Triple } from "../core/shape.js";
import type { VoxelBox } from "./label-comparison.js";
import type { LabelArray } from "./label-map-comparison.js";

/** The voxels of some labels within a box, as 0 and 1. */
export function cropMask(map: LabelArray, shape: Triple, labels: readonly number[], { start, size }: VoxelBox): Uint8Array {
  const isMember = new Uint8Array(65_536);
  for (const label of labels) isMember[label] = 1;
  const mask = new Uint8Array(size[0] * size[1] * size[2]);
  let to = 0;
  for (let z = 0; z < size[0]; z++) {
    for (let y = 0; y < size[1]; y++) {
      let from = ((start[0] + z) * shape[1] + start[1] + y) * shape[2] + start[2];
      for (let x = 0; x < size[2]; x++) mask[to++] = isMember[map[from++]!]!;
    }
  }
  return mask;
}
