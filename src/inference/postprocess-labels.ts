import { requireOption } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { elementCount, type Triple } from "../core/shape.js";
import { connectedComponents } from "../kernels/connected-components/connected-components.js";
import type { LabelArray } from "../kernels/label-array.js";
import { boundingBox } from "./bounding-box.js";
import type { PostprocessingStep } from "./postprocessing-step.js";

export interface PostprocessLabelsOptions {
  readonly shape: Triple;
  /** mm, `[z, y, x]`. */
  readonly spacing: Triple;
  /** Class names; index = label. */
  readonly classes: readonly string[];
  /** Carried out in this order. */
  readonly steps: readonly PostprocessingStep[];
}

/**
 * Removes connected components of a label map that are no largest ones, or too small: their voxels become background. Components are 26-connected.
 *
 * @shape labels (D, H, W), written in place
 * @label only ever to background
 * @returns how many voxels became background
 * @throws `ERR_OPTION` for a class that is not there
 * @example
 * postprocessLabels(labels, { shape, spacing, classes, steps: [{ operation: "keepLargest", classes: ["kidney"], count: 2 }] });
 */
export function postprocessLabels(labels: LabelArray, { shape, spacing, classes, steps, ...unknown }: PostprocessLabelsOptions): number {
  requireKnownOptions("postprocessLabels", unknown, ["shape", "spacing", "classes", "steps"]);
  requireSteps(steps, classes);
  const voxelVolume = spacing[0] * spacing[1] * spacing[2];
  let removed = 0;
  for (const step of steps) {
    const wanted = new Uint8Array(Math.max(classes.length, 256));
    for (const name of step.classes) wanted[classes.indexOf(name)] = 1;
    const box = boundingBox(shape, (at) => wanted[labels[at]!] === 1);
    if (!box) continue;
    const mask = new Uint8Array(elementCount(box.size));
    eachVoxel(shape, box, (at, inBox) => {
      mask[inBox] = wanted[labels[at]!]!;
    });
    const component = new Int32Array(mask.length);
    const count = connectedComponents(mask, box.size, component);
    const sizes = new Float64Array(count + 1);
    for (let i = 0; i < component.length; i++) sizes[component[i]!]!++;
    const isKept = keptComponents(step, sizes, voxelVolume);
    eachVoxel(shape, box, (at, inBox) => {
      if (!mask[inBox] || isKept[component[inBox]!]) return;
      labels[at] = 0;
      removed++;
    });
  }
  return removed;
}

/** @throws `ERR_OPTION` */
export function requireSteps(steps: readonly PostprocessingStep[], classes: readonly string[]): void {
  for (const step of steps) {
    const { operation } = step;
    requireOption(step.classes.length > 0, "postprocessing", operation, "one class or more", step.classes);
    const strange = step.classes.find((name) => classes.indexOf(name) < 1);
    requireOption(strange === undefined, "postprocessing", operation, `classes among ${classes.slice(1).join(", ")}`, strange);
    if (operation === "keepLargest")
      requireOption(Number.isInteger(step.count) && step.count >= 1, "postprocessing", "keepLargest.count", "an integer >= 1", step.count);
    else requireOption(Number.isFinite(step.size) && step.size > 0, "postprocessing", "minimalSize.size", "> 0", step.size);
  }
}

/** By number of component; of components of equal size the one that comes first in the array is the larger. */
function keptComponents(step: PostprocessingStep, sizes: Float64Array, voxelVolume: number): Uint8Array {
  const isKept = new Uint8Array(sizes.length);
  const order = Array.from({ length: sizes.length - 1 }, (_, at) => at + 1).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  if (step.operation === "keepLargest") for (const at of order.slice(0, step.count)) isKept[at] = 1;
  else for (const at of order) isKept[at] = sizes[at]! * (step.unit === "voxels" ? 1 : voxelVolume) >= step.size ? 1 : 0;
  return isKept;
}

function eachVoxel(
  [, height, width]: Triple,
  { start, size }: { readonly start: Triple; readonly size: Triple },
  visit: (at: number, inBox: number) => void,
): void {
  let inBox = 0;
  for (let z = 0; z < size[0]; z++) {
    for (let y = 0; y < size[1]; y++) {
      let at = ((start[0] + z) * height + start[1] + y) * width + start[2];
      for (let x = 0; x < size[2]; x++) visit(at++, inBox++);
    }
  }
}
