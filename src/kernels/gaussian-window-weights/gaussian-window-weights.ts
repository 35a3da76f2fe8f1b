import { requireOption } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";
import { requireShape } from "../require-elements.js";

export interface GaussianWindowWeightsOptions {
  /** Deviation as a share of the patch's extent, > 0. Default 1/8, nnU-Net's. */
  readonly sigmaScale?: number;
}

/**
 * Weights exp(-d²/2σ²) around the patch's middle (P-1)/2, σ = sigmaScale·P per axis, largest 1. Weights that single precision would make 0 become the
 * smallest positive one, so that every covered voxel has a weight. Extra memory: a line per axis.
 *
 * @shape (D, H, W)
 * @source Isensee et al. 2021, nnU-Net, sliding window prediction
 */
export function gaussianWindowWeights(patchShape: Triple, { sigmaScale = 1 / 8 }: GaussianWindowWeightsOptions = {}): Float32Array {
  requireShape("gaussianWindowWeights", "patchShape", patchShape, 3);
  requireOption(sigmaScale > 0, "gaussianWindowWeights", "sigmaScale", "> 0", sigmaScale);
  const [z, y, x] = patchShape.map((extent) =>
    Float64Array.from({ length: extent }, (_, i) => Math.exp(-0.5 * ((i - (extent - 1) / 2) / (sigmaScale * extent)) ** 2)),
  ) as [Float64Array, Float64Array, Float64Array];
  const weights = new Float32Array(z.length * y.length * x.length);
  const middle = [z, y, x].reduce((product, line) => product * line[(line.length - 1) >> 1]!, 1);
  let [at, smallest] = [0, 1];
  for (const a of z) {
    for (const b of y) {
      for (const c of x) {
        const weight = Math.fround((a * b * c) / middle);
        weights[at++] = weight;
        if (weight > 0 && weight < smallest) smallest = weight;
      }
    }
  }
  for (let i = 0; i < weights.length; i++) if (weights[i] === 0) weights[i] = smallest;
  return weights;
}
