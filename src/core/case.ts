import type { DtypeArrays } from "./dtype.js";
import type { Affine } from "./geometry.js";
import type { Json } from "./json.js";
import type { Shape4, Triple } from "./shape.js";

/** One case on disk (or behind a user's reader), not yet read. */
export interface CaseRef {
  readonly id: string;
  /** One file per channel, or one file with all channels. */
  readonly images: readonly string[];
  readonly label?: string;
  readonly extra?: Readonly<Record<string, Json>>;
  /** How the files are to be understood where they do not say it themselves. */
  readonly reading?: CaseReading;
}

/** What the files of a case mean, where that is no matter of their formats; plain data. */
export interface CaseReading {
  /** Stored label value → class, such as `{ 255: 1 }`; values that are not named stay as they are. */
  readonly labels?: Readonly<Record<string, number>>;
  /** Color images become one channel of brightness: 0.299 red + 0.587 green + 0.114 blue (ITU-R 601). */
  readonly gray?: boolean;
  /** Voxel size `[z, y, x]` in mm of planar images and TIFF stacks, whatever their files say. */
  readonly spacing?: Triple;
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
