import { Random } from "../../core/random.js";
import { elementCount, type Triple } from "../../core/shape.js";
import { gaussianFilter } from "../../kernels/gaussian-filter/gaussian-filter.js";

/** Image and label map of a made-up CT: smooth texture with noise; a kidney (1) with a tumor (2) on either side. */
export interface BenchPhantom {
  readonly image: Float32Array;
  readonly label: Uint8Array;
}

/** The same for the same shape: inputs of the measurements. @shape (D, H, W) */
export function benchPhantom(shape: Triple): BenchPhantom {
  const [depth, height, width] = shape;
  const random = new Random("bench", ...shape);
  const count = elementCount(shape);
  const rough = Float32Array.from({ length: count }, () => random.uniform(-1, 1));
  const image = new Float32Array(count);
  gaussianFilter(rough, [...shape, 1], image, { sigma: [2, 4, 4] });
  const label = new Uint8Array(count);
  const isIn = (z: number, y: number, x: number, [cz, cy, cx]: Triple, [rz, ry, rx]: Triple) =>
    ((z - cz) / rz) ** 2 + ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1;
  let at = 0;
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      for (let i = 0; i < width; i++, at++) {
        // Both sides at once: the second kidney is the first one's mirror image.
        const [z, y, x] = [(2 * k) / depth - 1, (2 * j) / height - 1, Math.abs((2 * i) / width - 1)];
        if (isIn(z, y, x, [0.1, 0.1, 0.5], [0.6, 0.25, 0.2])) label[at] = isIn(z, y, x, [0.2, 0.15, 0.45], [0.2, 0.12, 0.1]) ? 2 : 1;
        image[at] = image[at]! * 2000 + rough[at]! * 20 + label[at]! * 60;
      }
    }
  }
  return { image, label };
}
