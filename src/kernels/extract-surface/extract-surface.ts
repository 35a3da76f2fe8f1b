import type { Triple } from "../../core/shape.js";
import type { LabelArray } from "../label-array.js";
import { native } from "../native.js";
import { requireElements, requireSeparate, requireShape } from "../require-elements.js";
import { extractSurfaceReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    extractSurface?(labels: LabelArray, shape: readonly number[], output: Uint8Array, label: number): number;
  }
}

export interface ExtractSurfaceOptions {
  /** The structure's label. Default: every label above 0 together. */
  readonly label?: number;
}

/**
 * Marks with 1 the voxels of a structure that have a face neighbor outside it (beyond the image counts as outside) and returns their number.
 * No extra memory.
 *
 * @shape labels (D, H, W) → same
 * @throws `ERR_SHAPE` when lengths do not fit
 * @source mask minus its erosion by the 6-neighborhood: scipy.ndimage.binary_erosion(border_value=0), as in MedPy's surface distances
 */
export function extractSurface(labels: LabelArray, shape: Triple, output: Uint8Array, { label }: ExtractSurfaceOptions = {}): number {
  requireShape("extractSurface", "shape", shape, 3);
  requireElements("extractSurface", "labels", labels, shape[0] * shape[1] * shape[2]);
  requireElements("extractSurface", "output", output, labels.length);
  requireSeparate("extractSurface", labels, output);
  const addon = native();
  return addon?.extractSurface ? addon.extractSurface(labels, shape, output, label ?? -1) : extractSurfaceReference(labels, shape, output, label);
}
