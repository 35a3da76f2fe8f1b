import type { DtypeArrays } from "./dtype.js";
import type { Affine } from "./geometry.js";
import type { Json } from "./json.js";
import type { Shape4 } from "./shape.js";

/** One case on disk (or behind a user's reader), not yet read. */
export interface CaseRef {
  readonly id: string;
  /** One file per channel, or one file with all channels. */
  readonly images: readonly string[];
  readonly label?: string;
  readonly extra?: Readonly<Record<string, Json>>;
}

/**
 * A case as a user's own reader delivers it: arrays in `[depth, height, width, channels]`, and the affine from (width index, height index, depth index, 1)
 * to RAS+ mm, row by row. `load` turns them to the closest RAS+ orientation; without an affine they count as canonical, with voxels of 1 mm.
 */
export interface CustomCase {
  readonly image: { readonly data: DtypeArrays[keyof DtypeArrays]; readonly shape: Shape4; readonly affine?: Affine };
  readonly label?: { readonly data: DtypeArrays[keyof DtypeArrays]; readonly shape: Shape4 };
}

/** Where cases come from. */
export interface DataSet {
  /** Class names; index = label value; the first is the background. */
  readonly classes: readonly string[];
  readonly channels: number;
  /** All cases, sorted by id. */
  list(): Promise<readonly CaseRef[]>;
  /** Custom I/O: replaces the reading of files. */
  readonly read?: (ref: CaseRef) => Promise<CustomCase>;
}
