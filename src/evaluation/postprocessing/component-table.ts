import { elementCount } from "../../core/shape.js";
import { connectedComponents } from "../../kernels/connected-components/connected-components.js";
import type { LabelPair } from "../read-label-pair.js";

/** The connected components of one predicted class of one case: all that the Dice of any postprocessing of it depends on. */
export interface ComponentTable {
  readonly id: string;
  readonly fold: number;
  readonly class: string;
  /** Voxels of the class in the reference. */
  readonly reference: number;
  /** mm³. */
  readonly voxelVolume: number;
  /** From the largest to the smallest; `hits` are voxels that are right. */
  readonly components: readonly { readonly voxels: number; readonly hits: number }[];
}

/**
 * Lists the predicted components (26-connected) of every foreground class of a case.
 *
 * @example
 * componentTables({ id, fold: 0, classes, pair: { prediction, reference, shape, spacing } });
 */
export function componentTables({
  id,
  fold,
  classes,
  pair: { prediction, reference, shape, spacing },
}: {
  readonly id: string;
  readonly fold: number;
  readonly classes: readonly string[];
  readonly pair: LabelPair;
}): ComponentTable[] {
  const voxelVolume = spacing[0] * spacing[1] * spacing[2];
  const mask = new Uint8Array(elementCount(shape));
  const component = new Int32Array(mask.length);
  return classes.slice(1).map((name, at) => {
    const label = at + 1;
    let referenced = 0;
    for (let i = 0; i < mask.length; i++) {
      mask[i] = prediction[i] === label ? 1 : 0;
      if (reference[i] === label) referenced++;
    }
    const count = connectedComponents(mask, shape, component);
    const components = Array.from({ length: count }, () => ({ voxels: 0, hits: 0 }));
    for (let i = 0; i < mask.length; i++) {
      if (!mask[i]) continue;
      const own = components[component[i]! - 1]!;
      own.voxels++;
      if (reference[i] === label) own.hits++;
    }
    // Sorting is stable: of components of equal size the one that comes first in the array is the larger, as in postprocessing.
    return { id, fold, class: name, reference: referenced, voxelVolume, components: components.sort((a, b) => b.voxels - a.voxels) };
  });
}
