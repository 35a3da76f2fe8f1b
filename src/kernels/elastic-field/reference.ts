import type { Triple } from "../../core/shape.js";
import { gaussianFilterReference } from "../gaussian-filter/reference.js";
import { fieldPosition, type NoiseKey, philox, unitInterval } from "../noise/philox.js";

/** Uniform in (-1, 1) for voxel i of component `stream` - 1. */
export function uniformAt(i: number, stream: number, key: NoiseKey): number {
  const { counter, word } = fieldPosition(i);
  return 2 * unitInterval(philox(counter, stream, key)[word]!) - 1;
}

export function elasticFieldReference(output: Float32Array, shape: Triple, key: NoiseKey, alpha: number, sigma: number): void {
  const voxels = shape[0] * shape[1] * shape[2];
  const raw = new Float32Array(voxels);
  for (let component = 0; component < 3; component++) {
    for (let i = 0; i < voxels; i++) raw[i] = uniformAt(i, component + 1, key);
    const field = output.subarray(component * voxels, (component + 1) * voxels);
    gaussianFilterReference(raw, [...shape, 1], field, [sigma, sigma, sigma], "constant", 4);
    for (let i = 0; i < voxels; i++) field[i]! *= alpha;
  }
}
