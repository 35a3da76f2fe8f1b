import type { Shape4, Triple } from "../../core/shape.js";
import type { VoxelArray } from "../voxel-array.js";

/** Output axis k runs along input axis order[k], backwards where flips[k]. */
export function reorientReference(input: VoxelArray, shape: Shape4, output: VoxelArray, order: Triple, flips: readonly boolean[]): void {
  const channels = shape[3];
  const strides = [shape[1] * shape[2] * channels, shape[2] * channels, channels];
  const along = [0, 1, 2].map((k) => (flips[k] ? -1 : 1) * strides[order[k]!]!);
  const first = [0, 1, 2].reduce((sum, k) => sum + (flips[k] ? (shape[order[k]!]! - 1) * strides[order[k]!]! : 0), 0);
  const [depth, height, width] = order.map((axis) => shape[axis]!) as [number, number, number];
  let to = 0;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      let from = first + z * along[0]! + y * along[1]!;
      for (let x = 0; x < width; x++, from += along[2]!) for (let c = 0; c < channels; c++) output[to++] = input[from + c]!;
    }
  }
}
