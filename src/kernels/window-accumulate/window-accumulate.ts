import { requireOption } from "../../core/errors.js";
import { elementCount, type Shape4, type Triple } from "../../core/shape.js";
import { native } from "../native.js";
import { requireElements, requireShape } from "../require-elements.js";
import { windowAccumulateReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    windowAccumulate?(
      sum: Float32Array,
      weightSum: Float32Array,
      shape: readonly number[],
      patch: Float32Array,
      patchShape: readonly number[],
      start: readonly number[],
      weights: Float32Array | undefined,
    ): void;
  }
}

/**
 * sum(start + i) += weight(i)·patch(i), weightSum(start + i) += weight(i). What lies outside the volume is left out. After all patches `windowFinish` makes
 * the true weighted mean. Without `weights` every voxel weighs 1. No extra memory.
 *
 * @shape sum (D, H, W, C), weightSum (D, H, W), patch (d, h, w, C), weights (d, h, w)
 * @throws `ERR_SHAPE` when lengths do not fit; `ERR_OPTION` when shapes do not
 */
export function windowAccumulate(
  sum: Float32Array,
  weightSum: Float32Array,
  shape: Shape4,
  patch: Float32Array,
  patchShape: Shape4,
  start: Triple,
  weights?: Float32Array,
): void {
  const where = "windowAccumulate";
  requireShape(where, "shape", shape, 4);
  requireShape(where, "patchShape", patchShape, 4);
  requireOption(patchShape[3] === shape[3], where, "patchShape", `of ${shape[3]} channels`, patchShape);
  requireOption(start.every(Number.isSafeInteger), where, "start", "whole numbers", start);
  requireElements(where, "sum", sum, elementCount(shape));
  requireElements(where, "weightSum", weightSum, sum.length / shape[3]);
  requireElements(where, "patch", patch, elementCount(patchShape));
  if (weights) requireElements(where, "weights", weights, patch.length / shape[3]);
  const addon = native();
  if (addon?.windowAccumulate) addon.windowAccumulate(sum, weightSum, shape, patch, patchShape, start, weights);
  else windowAccumulateReference(sum, weightSum, shape, patch, patchShape, start, weights);
}
