import type { Triple } from "../../core/shape.js";
import type { LabelArray } from "../label-array.js";

export function extractSurfaceReference(labels: LabelArray, shape: Triple, output: Uint8Array, label: number | undefined): number {
  const [depth, height, width] = shape;
  const belongs = (z: number, y: number, x: number): boolean => {
    if (z < 0 || y < 0 || x < 0 || z >= depth || y >= height || x >= width) return false;
    const value = labels[(z * height + y) * width + x]!;
    return label === undefined ? value > 0 : value === label;
  };
  let count = 0;
  let at = 0;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const enclosed =
          belongs(z - 1, y, x) &&
          belongs(z + 1, y, x) &&
          belongs(z, y - 1, x) &&
          belongs(z, y + 1, x) &&
          belongs(z, y, x - 1) &&
          belongs(z, y, x + 1);
        const isSurface = belongs(z, y, x) && !enclosed;
        if (isSurface) count++;
        output[at++] = isSurface ? 1 : 0;
      }
    }
  }
  return count;
}
