import { requireOption } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";
import { native } from "../native.js";
import type { NoiseKey } from "../noise/philox.js";
import { requireElements, requireShape } from "../require-elements.js";
import { elasticFieldReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    elasticField?(output: Float32Array, shape: readonly number[], key: Uint32Array, alpha: number, sigma: number): void;
  }
}

export interface ElasticFieldOptions {
  /** Names the field; `hashKey` makes one. */
  readonly key: NoiseKey;
  /** Factor of the smoothed noise. */
  readonly alpha: number;
  /** Deviation of the Gaussian that smooths it, in voxels, > 0. */
  readonly sigma: number;
}

/**
 * Three displacement fields (depth, height, width), one after the other: α times uniform noise in (-1, 1) smoothed by a Gaussian of deviation σ over an
 * image that is 0 outside. The native kernel evaluates the smoothing on every third part of σ and puts the cubic spline through it, which for such a
 * band-limited field differs by less than 1e-3 of its deviation. Extra memory: the coarse field, and as many coarse planes
 * as the image is deep. To move an image, `elasticLattice` needs no dense field.
 *
 * @shape output (3, D, H, W)
 * @units voxels
 * @throws `ERR_OPTION` when sigma is not > 0; `ERR_SHAPE` when the length is not 3·D·H·W
 * @source Simard, Steinkraus, Platt 2003; batchgenerators, elastic_deform_coordinates (behavior)
 */
export function elasticField(output: Float32Array, shape: Triple, { key, alpha, sigma }: ElasticFieldOptions): void {
  requireShape("elasticField", "shape", shape, 3);
  requireOption(Number.isFinite(sigma) && sigma > 0, "elasticField", "sigma", "> 0", sigma);
  requireOption(Number.isFinite(alpha), "elasticField", "alpha", "a finite number", alpha);
  requireElements("elasticField", "output", output, 3 * shape[0] * shape[1] * shape[2]);
  const addon = native();
  if (addon?.elasticField) addon.elasticField(output, shape, Uint32Array.from(key), alpha, sigma);
  else elasticFieldReference(output, shape, key, alpha, sigma);
}
