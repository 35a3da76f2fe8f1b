import { requireOption } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";
import type { LabelArray } from "../label-array.js";
import { native } from "../native.js";
import { requireElements, requireShape } from "../require-elements.js";
import { distanceTransformReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    distanceTransform?(mask: LabelArray, shape: readonly number[], output: Float32Array, spacing: readonly number[]): void;
  }
}

/**
 * Exact Euclidean distance from each voxel center to the nearest voxel center of the set (mask above 0): 0 on the set, Infinity when the set is empty.
 * Extra memory: a few lines (native; squared distances pass through `output` in single precision).
 *
 * @shape mask (D, H, W) → same
 * @units the spacing's, usually mm
 * @throws `ERR_OPTION` when a spacing is not > 0; `ERR_SHAPE` when lengths do not fit
 * @source Felzenszwalb, Huttenlocher 2012; equals scipy.ndimage.distance_transform_edt(mask == 0, sampling)
 */
export function distanceTransform(mask: LabelArray, shape: Triple, output: Float32Array, spacing: Triple = [1, 1, 1]): void {
  const where = "distanceTransform";
  requireShape(where, "shape", shape, 3);
  requireOption(spacing.length === 3 && spacing.every((s) => s > 0 && Number.isFinite(s)), where, "spacing", "three numbers > 0", spacing);
  requireElements(where, "mask", mask, shape[0] * shape[1] * shape[2]);
  requireElements(where, "output", output, mask.length);
  const addon = native();
  if (addon?.distanceTransform) addon.distanceTransform(mask, shape, output, spacing);
  else distanceTransformReference(mask, shape, output, spacing);
}
