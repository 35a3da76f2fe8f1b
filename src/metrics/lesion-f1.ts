import { requireKnownOptions } from "../core/require-known-options.js";
import { connectedComponents } from "../kernels/connected-components/connected-components.js";
import { cropMask } from "./crop-mask.js";
import type { LabelComparison } from "./label-comparison.js";

export interface LesionF1Options {
  /** Which voxels belong to one lesion: those that share a face (6), also an edge (18), also a corner (26). */
  readonly connectivity?: 6 | 18 | 26;
}

/**
 * Harmonic mean of lesion-wise recall (share of reference lesions that the prediction touches) and precision (share of predicted lesions that touch the
 * reference), in 0..1, higher is better. One common voxel is a touch; sizes do not count.
 *
 * Both masks empty: NaN. Only one empty, or nothing touches: 0.
 *
 * @throws `ERR_OPTION` for another connectivity
 * @source Commowick et al., Sci. Rep. 8 (2018), lesion-wise F1, with overlap by one voxel
 * @example
 * lesionF1(comparison.of(2));
 */
export function lesionF1({ state, maps, labels, box }: LabelComparison, { connectivity = 26, ...unknown }: LesionF1Options = {}): number {
  requireKnownOptions("lesionF1", unknown, ["connectivity"]);
  if (state !== "ok") return state === "both_empty" ? Number.NaN : 0;
  const predicted = cropMask(maps.prediction, maps.shape, labels, box);
  const referenced = cropMask(maps.reference, maps.shape, labels, box);
  const shares = [touchedShare(predicted, referenced), touchedShare(referenced, predicted)];
  return shares[0] === 0 ? 0 : (2 * shares[0]! * shares[1]!) / (shares[0]! + shares[1]!);

  /** Share of the components of `mask` that hold a voxel of `other`. */
  function touchedShare(mask: Uint8Array, other: Uint8Array): number {
    const component = new Int32Array(mask.length);
    const count = connectedComponents(mask, box.size, component, { connectivity });
    const isTouched = new Uint8Array(count + 1);
    for (let i = 0; i < mask.length; i++) if (other[i]) isTouched[component[i]!] = 1;
    return isTouched.subarray(1).reduce((sum, touched) => sum + touched, 0) / count;
  }
}
