import type { Triple } from "../../core/shape.js";
import type { StoredDtype } from "../../kernels/decode/reference.js";
import type { VolumeFormat } from "../volume-format.js";

/** A picture file, or a stack of them, whose pixels are decoded when they are asked for. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Slices. */
  readonly depth: number;
  /** Pages that make one slice, each a channel; 1 but for stacks that say so. */
  readonly pageChannels: number;
  /** Samples of each pixel that count: 1 for gray, 3 for color. */
  readonly bands: number;
  /** Samples of each pixel behind them that do not: opacity. */
  readonly extra: number;
  readonly dtype: StoredDtype;
  readonly littleEndian: boolean;
  /** `[z, y, x]` in mm, where the file tells it. */
  readonly spacing?: Triple;
  /** The bytes of all samples of a page, pixel by pixel; pages are numbered over channels, then slices. */
  page(number: number): Uint8Array;
  close?(): void;
}

/** How one format of pictures is read. */
export interface PictureReader {
  readonly name: string;
  readonly extensions: readonly string[];
  /** What the format is called in messages. */
  readonly title: string;
  /** Whether pixels change when they are stored. */
  readonly isLossy: boolean;
  matches(firstBytes: Uint8Array): boolean;
  /**
   * Opens a file, synchronously. `keepsIndices` leaves the numbers of a palette in place of its colors.
   *
   * @throws `ERR_READ`, `ERR_FORMAT`, `ERR_HEADER`, `ERR_TRUNCATED`, `ERR_CHECKSUM`
   */
  open(path: string, keepsIndices: boolean): Picture;
  write?: VolumeFormat["write"] & {};
}

/** Announced sizes up to this are believed where the file could hold them at the best compression there is; larger ones are counted first. */
export const BELIEVED_BYTES = 1024 ** 3;
