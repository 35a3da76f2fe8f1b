import type { Triple } from "../core/shape.js";
import { extractSurface } from "../kernels/extract-surface/extract-surface.js";

/**
 * Marks the surface of a mask: its voxels with one of the six face neighbors outside the mask; what lies beyond the array is outside.
 *
 * Flat axes (by default those of one voxel) do not count: in a 2D image every voxel would touch the outside, here the outline is the surface.
 *
 * @shape mask (D, H, W) of 0 and 1 → same
 * @source the definition that MONAI and MedPy share (mask minus its erosion by the 6-neighborhood)
 * @example
 * surfaceVoxels(Uint8Array.of(1, 1, 1), [1, 1, 3]); // 1, 0, 1
 */
export function surfaceVoxels(mask: Uint8Array, shape: Triple, isFlat: readonly boolean[] = shape.map((extent) => extent === 1)): Uint8Array {
  const surface = new Uint8Array(mask.length);
  // A single voxel is its own surface.
  if (!isFlat.includes(true) || !isFlat.includes(false)) {
    extractSurface(mask, shape, surface, { label: 1 });
    return surface;
  }
  // A flat axis is repeated to three layers: seen from the middle one, its neighbors there are itself.
  const [depth, height, width] = shape;
  const layers = (axis: number): number => (isFlat[axis] ? 3 : shape[axis]!);
  const tall: Triple = [layers(0), layers(1), layers(2)];
  const repeated = new Uint8Array(tall[0] * tall[1] * tall[2]);
  const marked = new Uint8Array(repeated.length);
  let i = 0;
  for (let z = 0; z < tall[0]; z++) {
    for (let y = 0; y < tall[1]; y++) {
      for (let x = 0; x < tall[2]; x++) repeated[i++] = mask[((isFlat[0] ? 0 : z) * height + (isFlat[1] ? 0 : y)) * width + (isFlat[2] ? 0 : x)]!;
    }
  }
  extractSurface(repeated, tall, marked, { label: 1 });
  const middle = isFlat.map((flat) => (flat ? 1 : 0));
  i = 0;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) surface[i++] = marked[((z + middle[0]!) * tall[1] + y + middle[1]!) * tall[2] + x + middle[2]!]!;
    }
  }
  return surface;
}
