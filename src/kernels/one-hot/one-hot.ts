import { requireOption, VoxError } from "../../core/errors.js";
import type { LabelArray } from "../label-array.js";
import { native } from "../native.js";
import { requireElements } from "../require-elements.js";
import { oneHotReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    /** Index of the first label out of range, or -1. */
    oneHot?(labels: LabelArray, output: Float32Array | Uint8Array, classes: number): number;
  }
}

/**
 * output(v, c) = 1 where labels(v) = c, else 0. No extra memory.
 *
 * @shape labels (…) → (…, classes)
 * @throws `ERR_LABEL` when a label is not below `classes`; `ERR_SHAPE` when lengths do not fit
 */
export function oneHot(labels: LabelArray, output: Float32Array | Uint8Array, classes: number): void {
  requireOption(Number.isSafeInteger(classes) && classes >= 1, "oneHot", "classes", ">= 1", classes);
  requireElements("oneHot", "output", output, labels.length * classes);
  const addon = native();
  const wrong = addon?.oneHot ? addon.oneHot(labels, output, classes) : oneHotReference(labels, output, classes);
  if (wrong < 0) return;
  throw new VoxError(`labels must be below ${classes}, got ${labels[wrong]} at voxel ${wrong}`, { code: "ERR_LABEL", where: "oneHot" });
}
