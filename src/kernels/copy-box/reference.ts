import type { Shape4, Triple } from "../../core/shape.js";
import type { VoxelArray } from "../voxel-array.js";

/** Rows are copied whole where they overlap the image; the rest is fill. */
export function copyBoxReference(input: VoxelArray, shape: Shape4, output: VoxelArray, outShape: Shape4, start: Triple, fill: Float64Array): void {
  const [depth, height, width, channels] = shape;
  const [outDepth, outHeight, outWidth] = outShape;
  if (channels === 1) output.fill(fill[0]!);
  else for (let i = 0; i < output.length; i++) output[i] = fill[i % channels]!;
  const first = Math.max(0, -start[2]);
  const end = Math.min(outWidth, width - start[2]);
  if (end <= first) return;
  for (let z = Math.max(0, -start[0]); z < Math.min(outDepth, depth - start[0]); z++) {
    for (let y = Math.max(0, -start[1]); y < Math.min(outHeight, height - start[1]); y++) {
      const from = (((z + start[0]) * height + y + start[1]) * width + start[2] + first) * channels;
      const to = ((z * outHeight + y) * outWidth + first) * channels;
      output.set(input.subarray(from, from + (end - first) * channels) as never, to);
    }
  }
}
