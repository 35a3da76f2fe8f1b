import type { Triple } from "../core/shape.js";
import type { AugmentOptions, NormalizeOptions } from "../operators/index.js";

/** What the ready-made graphs have in common: how cases are preprocessed, kept and varied. */
export interface CaseGraphOptions {
  /** Intensities to clip at, such as -79 and 304 HU for kidneys; absent: none are clipped. */
  readonly range?: readonly [low: number, high: number];
  /** Voxel size to work at, `[z, y, x]` in mm; absent: each file's own. */
  readonly spacing?: Triple;
  /** Z-score per channel by default. */
  readonly normalize?: NormalizeOptions;
  /** Techniques; `false` for none; by default those of `augment()`. */
  readonly augment?: AugmentOptions | false;
  /** Whether the preprocessed cases are kept in the LMDB cache; they are by default. */
  readonly store?: boolean;
}

export const CASE_GRAPH_OPTIONS = ["range", "spacing", "normalize", "augment", "store"] as const satisfies readonly (keyof CaseGraphOptions)[];
