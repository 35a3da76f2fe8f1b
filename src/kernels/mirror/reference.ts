import type { Shape4, Triple } from "../../core/shape.js";
import type { VoxelArray } from "../voxel-array.js";

/** output(z, y, x) = input at the mirrored position of every chosen axis. */
export function mirrorReference(input: VoxelArray, shape: Shape4, output: VoxelArray, axes: readonly [boolean, boolean, boolean]): void {
  const [depth, height, width, channels] = shape;
  const from = (i: number, extent: number, axis: number) => (axes[axis] ? extent - 1 - i : i);
  let to = 0;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const row: Triple = [from(z, depth, 0), from(y, height, 1), 0];
      for (let x = 0; x < width; x++) {
        const at = ((row[0] * height + row[1]) * width + from(x, width, 2)) * channels;
        for (let c = 0; c < channels; c++) output[to++] = input[at + c]!;
      }
    }
  }
}
