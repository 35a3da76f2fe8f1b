import type { Triple } from "../core/shape.js";
import type { LabelArray } from "../kernels/label-array.js";

/** One predicted case. */
export interface Prediction {
  /** On the grid that was loaded, canonical orientation. */
  readonly labels: LabelArray;
  readonly shape: Triple;
  /** Mean probabilities `(D, H, W, classes)`, when asked for; with votes the share of votes. */
  readonly probabilities?: Float32Array;
}
