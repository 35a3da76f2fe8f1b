import { requireOption } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";
import type { LabelArray } from "../label-array.js";
import { native } from "../native.js";
import { requireElements, requireShape } from "../require-elements.js";
import { type Connectivity, connectedComponentsReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    connectedComponents?(mask: LabelArray, shape: readonly number[], output: Int32Array, connectivity: number): number;
  }
}

export interface ConnectedComponentsOptions {
  /** Neighbors of a voxel: those that share a face (6), also an edge (18), also a corner (26). Default 26. */
  readonly connectivity?: Connectivity;
}

/**
 * Numbers the connected components of the voxels above 0 from 1, in the order in which their first voxels stand in the array; background is 0.
 * Returns how many there are. Extra memory: 8 bytes per run of foreground along the width (native).
 *
 * @shape mask (D, H, W) → same
 * @throws `ERR_OPTION` for another connectivity; `ERR_SHAPE` when lengths do not fit
 * @source scipy.ndimage.label
 */
export function connectedComponents(
  mask: LabelArray,
  shape: Triple,
  output: Int32Array,
  { connectivity = 26 }: ConnectedComponentsOptions = {},
): number {
  const where = "connectedComponents";
  requireShape(where, "shape", shape, 3);
  requireOption(connectivity === 6 || connectivity === 18 || connectivity === 26, where, "connectivity", "6, 18 or 26", connectivity);
  requireElements(where, "mask", mask, shape[0] * shape[1] * shape[2]);
  requireElements(where, "output", output, mask.length);
  const addon = native();
  return addon?.connectedComponents
    ? addon.connectedComponents(mask, shape, output, connectivity)
    : connectedComponentsReference(mask, shape, output, connectivity);
}
