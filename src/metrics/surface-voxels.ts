import type { Triple } from "../core/shape.js";

/**
 * Marks the surface of a mask: its voxels with one of the six face neighbors outside the mask; what lies beyond the array is outside.
 *
 * Axes of one voxel do not count: in a 2D image every voxel would touch the outside, here the outline is the surface.
 *
 * @shape mask (D, H, W) of 0 and 1 → same
 * @source the definition that MONAI and MedPy share (mask minus its erosion by the 6-neighborhood)
 * @example
 * surfaceVoxels(Uint8Array.of(1, 1, 1), [1, 1, 3]); // 1, 0, 1
 */
export function surfaceVoxels(mask: Uint8Array, shape: Triple): Uint8Array {
  const [depth, height, width] = shape;
  const surface = new Uint8Array(mask.length);
  const plane = height * width;
  for (let z = 0, i = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        if (!mask[i]) continue;
        const isInner =
          (width === 1 || (x > 0 && x < width - 1 && mask[i - 1] && mask[i + 1])) &&
          (height === 1 || (y > 0 && y < height - 1 && mask[i - width] && mask[i + width])) &&
          (depth === 1 || (z > 0 && z < depth - 1 && mask[i - plane] && mask[i + plane]));
        surface[i] = isInner ? 0 : 1;
      }
    }
  }
  return surface;
}
