import type { Triple } from "../../core/shape.js";
import type { LabelArray } from "../label-array.js";

export type Connectivity = 6 | 18 | 26;

/** Flood fill from every foreground voxel that has no number yet, in C order. */
export function connectedComponentsReference(mask: LabelArray, shape: Triple, output: Int32Array, connectivity: Connectivity): number {
  const [depth, height, width] = shape;
  const steps: Triple[] = [];
  const furthest = connectivity === 6 ? 1 : connectivity === 18 ? 2 : 3;
  for (let z = -1; z <= 1; z++) {
    for (let y = -1; y <= 1; y++) {
      for (let x = -1; x <= 1; x++) {
        const distance = Math.abs(z) + Math.abs(y) + Math.abs(x);
        if (distance > 0 && distance <= furthest) steps.push([z, y, x]);
      }
    }
  }
  output.fill(0);
  let count = 0;
  const open: number[] = [];
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || output[start] !== 0) continue;
    output[start] = ++count;
    open.push(start);
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const [z, y, x] = [Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width];
      for (const [dz, dy, dx] of steps) {
        const [nz, ny, nx] = [z + dz, y + dy, x + dx];
        if (nz < 0 || ny < 0 || nx < 0 || nz >= depth || ny >= height || nx >= width) continue;
        const next = (nz * height + ny) * width + nx;
        if (mask[next] === 0 || output[next] !== 0) continue;
        output[next] = count;
        open.push(next);
      }
    }
  }
  return count;
}
