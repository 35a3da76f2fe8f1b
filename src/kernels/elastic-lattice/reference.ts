import type { Triple } from "../../core/shape.js";
import { uniformAt } from "../elastic-field/reference.js";
import { gaussianWeights } from "../gaussian-filter/reference.js";
import type { NoiseKey } from "../noise/philox.js";
import { cubicWeights, INVERSE_RADIUS, inverseWeight } from "../spline/spline-coefficients.js";
import type { ElasticLattice } from "./elastic-lattice.js";

/**
 * Weights of the voxels around a node in its spline coefficient: the Gaussian, convolved with the spline's inverse filter on the lattice. That filter only
 * sharpens where the lattice is coarse, and the kernel ends with the Gaussian; at step 1 it reaches farther than a narrow Gaussian.
 */
export function latticeKernel(sigma: number, step: number): Float64Array {
  const gaussian = gaussianWeights(sigma, 4);
  const reach = (gaussian.length - 1) / 2;
  const radius = reach + (step === 1 ? 12 : 0);
  const sum = gaussian[reach]!;
  const value = (d: number) => (step === 1 ? (gaussian[d + reach] ?? 0) : sum * Math.exp((-0.5 * d ** 2) / sigma ** 2));
  return Float64Array.from({ length: 2 * radius + 1 }, (_, i) => {
    let weight = 0;
    for (let k = -INVERSE_RADIUS; k <= INVERSE_RADIUS; k++) weight += inverseWeight(k) * value(i - radius - k * step);
    return weight;
  });
}

/** Noise of each component through the kernel, axis after axis, on the lattice's nodes. */
export function elasticLatticeReference(
  values: Float32Array,
  shape: Triple,
  nodes: Triple,
  step: number,
  key: NoiseKey,
  alpha: number,
  sigma: number,
): void {
  const kernel = latticeKernel(sigma, step);
  const radius = (kernel.length - 1) / 2;
  const voxels = shape[0] * shape[1] * shape[2];
  const count = nodes[0] * nodes[1] * nodes[2];
  for (let component = 0; component < 3; component++) {
    let field = Float64Array.from({ length: voxels }, (_, i) => uniformAt(i, component + 1, key));
    const extents: number[] = [...shape];
    for (let axis = 0; axis < 3; axis++) {
      const [from, to] = [extents[axis]!, nodes[axis]!];
      const inner = extents.slice(axis + 1).reduce((a, b) => a * b, 1);
      const outer = extents.slice(0, axis).reduce((a, b) => a * b, 1);
      const next = new Float64Array(outer * to * inner);
      for (let o = 0; o < outer; o++) {
        for (let node = 0; node < to; node++) {
          const center = (node - 1) * step;
          for (let k = Math.max(0, center - radius); k <= Math.min(from - 1, center + radius); k++) {
            const weight = kernel[k - center + radius]!;
            for (let i = 0; i < inner; i++) next[(o * to + node) * inner + i]! += weight * field[(o * from + k) * inner + i]!;
          }
        }
      }
      field = next;
      extents[axis] = to;
    }
    for (let i = 0; i < count; i++) values[component * count + i] = alpha * field[i]!;
  }
}

/** The lattice's spline at every voxel: the dense field. */
export function expandLattice({ shape, step, nodes, values }: ElasticLattice): Float32Array {
  const [depth, height, width] = shape;
  const field = new Float32Array(3 * depth * height * width);
  const weights = Array.from({ length: step }, (_, phase) => cubicWeights(phase / step));
  let to = 0;
  for (let component = 0; component < 3; component++) {
    for (let z = 0; z < depth; z++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          let sum = 0;
          for (let k = 0; k < 4; k++) {
            for (let j = 0; j < 4; j++) {
              const row = ((component * nodes[0] + Math.floor(z / step) + k) * nodes[1] + Math.floor(y / step) + j) * nodes[2] + Math.floor(x / step);
              const weight = weights[z % step]![k]! * weights[y % step]![j]!;
              for (let i = 0; i < 4; i++) sum += weight * weights[x % step]![i]! * values[row + i]!;
            }
          }
          field[to++] = sum;
        }
      }
    }
  }
  return field;
}
