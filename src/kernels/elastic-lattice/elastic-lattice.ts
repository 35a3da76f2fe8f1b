import { requireOption } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";
import type { ElasticFieldOptions } from "../elastic-field/elastic-field.js";
import { native } from "../native.js";
import { requireShape } from "../require-elements.js";
import { elasticLatticeReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    elasticLattice?(values: Float32Array, shape: readonly number[], step: number, key: Uint32Array, alpha: number, sigma: number): void;
  }
}

/** A smooth displacement field as cubic B-spline coefficients on a coarse lattice: some hundredths of the field's memory. */
export interface ElasticLattice {
  /** Output shape that the lattice is for. */
  readonly shape: Triple;
  /** Voxels between neighboring nodes; node 0 of each axis stands at voxel -step. */
  readonly step: number;
  readonly nodes: Triple;
  /** Three components (depth, height, width), one after the other. */
  readonly values: Float32Array;
}

/** Nodes of each axis: one before the image, and two at or beyond its last voxel. */
export function latticeNodes(shape: Triple, step: number): Triple {
  const along = (extent: number) => Math.floor((extent - 1) / step) + 4;
  return [along(shape[0]), along(shape[1]), along(shape[2])];
}

/**
 * The field of `elasticField` as a lattice with about three nodes to a deviation, for `sampleImage` and `sampleLabel`. The cubic spline through it differs
 * from the field by less than 1e-3 of the field's deviation. Extra memory: about 9σ/3 planes (native).
 *
 * @units voxels
 * @throws `ERR_OPTION` when sigma is not > 0
 * @source Simard, Steinkraus, Platt 2003; batchgenerators, elastic_deform_coordinates (behavior)
 */
export function elasticLattice(shape: Triple, { key, alpha, sigma }: ElasticFieldOptions): ElasticLattice {
  requireShape("elasticLattice", "shape", shape, 3);
  requireOption(Number.isFinite(sigma) && sigma > 0, "elasticLattice", "sigma", "> 0", sigma);
  requireOption(Number.isFinite(alpha), "elasticLattice", "alpha", "a finite number", alpha);
  const step = Math.max(1, Math.floor(sigma / 2.9));
  const nodes = latticeNodes(shape, step);
  const values = new Float32Array(3 * nodes[0] * nodes[1] * nodes[2]);
  const addon = native();
  if (addon?.elasticLattice) addon.elasticLattice(values, shape, step, Uint32Array.from(key), alpha, sigma);
  else elasticLatticeReference(values, shape, nodes, step, key, alpha, sigma);
  return { shape, step, nodes, values };
}
