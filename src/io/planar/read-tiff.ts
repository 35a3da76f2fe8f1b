import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { VoxError } from "../../core/errors.js";
import { STORED_BYTES, type StoredDtype } from "../../kernels/decode/reference.js";
import { BELIEVED_BYTES, type Picture, type PictureReader } from "./picture.js";
import { colorsOf } from "./read-png.js";
import { REFUSED_TIFF, TIFF_RATIOS, tiffBlock, undoPrediction } from "./tiff-block.js";
import { type RandomBytes, type TiffDirectory, tiffDirectories } from "./tiff-directory.js";
import { tiffSpacing } from "./tiff-spacing.js";

/**
 * TIFF and BigTIFF: integers of 1 to 64 bits and floats, gray, color and palettes, in strips or tiles, plain or compressed by LZW, deflate or PackBits.
 * Pages are slices. Rotation tags, opacity and color profiles are not applied.
 *
 * @source TIFF 6.0; BigTIFF; ImageJ's description of stacks
 */
export const readTiff: PictureReader = {
  name: "tiff",
  title: "TIFF",
  extensions: [".tif", ".tiff"],
  isLossy: false,
  matches: (bytes) => /^(II[*+]\0|MM\0[*+])/.test(Buffer.from(bytes.subarray(0, 4)).toString("latin1")),
  open,
};

const DTYPES: Readonly<Record<string, StoredDtype>> = {
  "1/8": "uint8",
  "1/16": "uint16",
  "1/32": "uint32",
  "1/64": "uint64",
  "2/8": "int8",
  "2/16": "int16",
  "2/32": "int32",
  "2/64": "int64",
  "3/32": "float32",
  "3/64": "float64",
};

/** What all pages of a stack have in common. */
interface PageLayout {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly dtype: StoredDtype;
  readonly samples: number;
  readonly photometric: number;
  readonly compression: number;
  readonly predictor: number;
  readonly isPlanar: boolean;
  readonly blockWidth: number;
  readonly blockHeight: number;
  readonly isTiled: boolean;
}

const WHITE_IS_ZERO = 0;
const COLOR = 2;
const PALETTE = 3;

function open(path: string, keepsIndices: boolean): Picture {
  const handle = openSync(path, "r");
  try {
    const file = randomBytes(handle, path);
    const { littleEndian, directories } = tiffDirectories(file, path);
    const layout = layoutOf(directories[0]!, path);
    const text = JSON.stringify(layout);
    for (const [n, page] of directories.entries()) {
      if (n === 0) continue;
      const own = JSON.stringify(layoutOf(page, path));
      if (own !== text)
        throw new VoxError(`all pages must be alike, got page ${n + 1} with ${own} after ${text}`, { code: "ERR_HEADER", where: path });
    }
    requireRoom(file, directories, layout, path);
    const { width, height, samples, photometric, dtype, bits } = layout;
    const { spacing, channels } = tiffSpacing(directories[0]!, directories.length, path);
    const hasColors = photometric === PALETTE && !keepsIndices;
    const bands = photometric === COLOR ? 3 : hasColors ? 3 : 1;
    const page = (n: number): Uint8Array => {
      const pixels = readPage(file, directories[n]!, layout, littleEndian, path);
      if (photometric === WHITE_IS_ZERO && dtype.startsWith("uint")) invert(pixels, bits);
      return hasColors ? colorsOf(pixels, paletteOf(directories[n]!, bits), path) : pixels;
    };
    const picture: Picture = {
      width,
      height,
      depth: directories.length / channels,
      pageChannels: channels,
      bands: photometric === COLOR || photometric === PALETTE ? bands : samplesThatCount(directories[0]!, samples),
      extra: photometric === PALETTE ? 0 : samples - (photometric === COLOR ? 3 : samplesThatCount(directories[0]!, samples)),
      dtype,
      littleEndian,
      ...(spacing && { spacing }),
      page,
      close: () => closeSync(handle),
    };
    if (picture.depth * channels * width * height * samples * STORED_BYTES[dtype] > BELIEVED_BYTES && layout.compression !== 1)
      countLarge(picture, file.size, layout);
    return picture;
  } catch (error) {
    closeSync(handle);
    throw error;
  }
}

/** Samples of a page that is no color: all of them are channels, but for those that are marked as opacity. */
function samplesThatCount(page: TiffDirectory, samples: number): number {
  const opacity = page.numbers(338, []).filter((kind) => kind === 1 || kind === 2).length;
  return Math.max(1, samples - opacity);
}

function randomBytes(handle: number, path: string): RandomBytes {
  const { size } = fstatSync(handle);
  return {
    size,
    read: (at, length) => {
      if (!Number.isSafeInteger(at + length) || at + length > size) {
        throw new VoxError(`the TIFF file must have ${length} bytes at ${at}, got a file of ${size}`, { code: "ERR_TRUNCATED", where: path });
      }
      const bytes = Buffer.allocUnsafe(length);
      for (let filled = 0; filled < length; ) {
        const count = readSync(handle, bytes, filled, length - filled, at + filled);
        if (count === 0)
          throw new VoxError(`the TIFF file must stay as it is while it is read, got its end at ${at + filled}`, {
            code: "ERR_TRUNCATED",
            where: path,
          });
        filled += count;
      }
      return bytes;
    },
  };
}

function layoutOf(page: TiffDirectory, path: string): PageLayout {
  const refuse = (sentence: string, code: "ERR_HEADER" | "ERR_FORMAT" = "ERR_HEADER"): never => {
    throw new VoxError(sentence, { code, where: path });
  };
  const one = (tag: number, otherwise?: number): number => page.numbers(tag, otherwise === undefined ? undefined : [otherwise])[0]!;
  const [width, height] = [one(256), one(257)];
  if (width < 1 || height < 1) refuse(`a page must have pixels, got ${width} x ${height}`);
  const samples = one(277, 1);
  const allBits = page.numbers(258, [1]);
  const formats = page.numbers(339, [1]);
  const bits = allBits[0]!;
  // 4: not said, which means unsigned integers.
  const format = formats[0] === 4 ? 1 : formats[0]!;
  if (samples < 1 || samples > 64) refuse(`a pixel must have 1 to 64 samples, got ${samples}`);
  if (allBits.some((value) => value !== bits)) refuse(`all samples must have the same bits, got ${allBits.join(", ")}`);
  const isPacked = format === 1 && (bits === 1 || bits === 2 || bits === 4);
  const dtype = isPacked
    ? "uint8"
    : (DTYPES[`${format}/${bits}`] ??
      refuse(`samples must be integers of 1, 2, 4, 8, 16, 32 or 64 bits or floats of 32 or 64, got ${bits} bits of format ${formats[0]}`));
  const photometric = one(262, 1);
  if (![WHITE_IS_ZERO, 1, COLOR, PALETTE].includes(photometric))
    refuse(`pixels must be gray, RGB or of a palette, got photometric interpretation ${photometric}`, "ERR_FORMAT");
  if (photometric === COLOR && samples < 3) refuse(`RGB pixels must have 3 samples, got ${samples}`);
  if (photometric === PALETTE && (samples !== 1 || format !== 1 || bits > 8))
    refuse(`pixels of a palette must be one sample of up to 8 bits, got ${samples} of ${bits}`);
  const compression = one(259, 1);
  if (TIFF_RATIOS[compression] === undefined) {
    const name = REFUSED_TIFF[compression];
    refuse(`compression must be none, LZW, deflate or PackBits, got ${name ? `${name} (${compression})` : compression}`, "ERR_FORMAT");
  }
  if (one(266, 1) !== 1) refuse("bits must be filled from the highest one, got fill order 2", "ERR_FORMAT");
  const predictor = compression === 5 || compression === 8 || compression === 32946 ? one(317, 1) : 1;
  if (![1, 2, 3].includes(predictor) || (predictor === 3 && format !== 3) || (predictor === 2 && isPacked))
    refuse(`the predictor must fit the samples, got ${predictor}`);
  const isTiled = page.numbers(322, [0])[0] !== 0;
  const blockWidth = isTiled ? one(322) : width;
  const blockHeight = isTiled ? one(323) : Math.min(height, one(278, height) || height);
  if (isTiled && (blockWidth > Math.max(4096, 2 * width) || blockHeight > Math.max(4096, 2 * height) || blockHeight < 1)) {
    refuse(`tiles must be of about the size of the page, got ${blockWidth} x ${blockHeight} of ${width} x ${height}`);
  }
  const isPlanar = one(284, 1) === 2 && samples > 1;
  return { width, height, bits, dtype, samples, photometric, compression, predictor, isPlanar, blockWidth, blockHeight, isTiled };
}

/** Where the blocks of a page lie. */
function blocksOf(
  page: TiffDirectory,
  { isTiled }: PageLayout,
): { readonly offsets: readonly number[]; readonly counts: readonly number[] | undefined } {
  const counts = page.numbers(isTiled ? 325 : 279, []);
  return { offsets: page.numbers(isTiled ? 324 : 273), counts: counts.length > 0 ? counts : undefined };
}

function rowBytesOf({ bits, samples, isPlanar }: PageLayout, pixels: number): number {
  return Math.ceil((pixels * (isPlanar ? 1 : samples) * bits) / 8);
}

/** Sizes that are announced must be such as the bytes in the file can have. */
function requireRoom(file: RandomBytes, pages: readonly TiffDirectory[], layout: PageLayout, path: string): void {
  const { width, height, samples, dtype, bits, compression } = layout;
  const needed = pages.length * height * Math.ceil((width * samples * bits) / 8);
  const most = file.size * TIFF_RATIOS[compression]!;
  const isSafe = Number.isSafeInteger(pages.length * width * height * samples * STORED_BYTES[dtype]);
  if (isSafe && needed <= most) return;
  throw new VoxError(
    `the file must have ${needed} bytes for ${pages.length} pages of ${width} x ${height} pixels, got ${compression === 1 ? "" : "at most "}${most}`,
    {
      code: "ERR_TRUNCATED",
      where: path,
    },
  );
}

/** Decodes all that expands far beyond what pictures do, so that a lie is found before memory is taken for it. */
function countLarge(picture: Picture, fileBytes: number, { width, height, samples, dtype }: PageLayout): void {
  const pages = picture.depth * picture.pageChannels;
  if (pages * width * height * samples * STORED_BYTES[dtype] < 16 * fileBytes) return;
  for (let n = 0; n < pages; n++) picture.page(n);
}

function readPage(file: RandomBytes, page: TiffDirectory, layout: PageLayout, littleEndian: boolean, path: string): Uint8Array {
  const { width, height, samples, bits, dtype, compression, predictor, isPlanar, blockWidth, blockHeight, isTiled } = layout;
  const { offsets, counts } = blocksOf(page, layout);
  const across = Math.ceil(width / blockWidth);
  const down = Math.ceil(height / blockHeight);
  const planes = isPlanar ? samples : 1;
  if (offsets.length < across * down * planes || (counts && counts.length < across * down * planes)) {
    throw new VoxError(
      `a page must have ${across * down * planes} strips or tiles, got ${Math.min(offsets.length, counts?.length ?? offsets.length)}`,
      {
        code: "ERR_HEADER",
        where: path,
      },
    );
  }
  const sampleBytes = STORED_BYTES[dtype];
  const perBlock = isPlanar ? 1 : samples;
  const pixels = new Uint8Array(width * height * samples * sampleBytes);
  const rowBytes = rowBytesOf(layout, blockWidth);
  for (let plane = 0; plane < planes; plane++) {
    for (let row = 0; row < down; row++) {
      // Tiles are whole, the last strip is not.
      const rows = isTiled ? blockHeight : Math.min(blockHeight, height - row * blockHeight);
      for (let column = 0; column < across; column++) {
        const n = (plane * down + row) * across + column;
        const length = rowBytes * rows;
        const stored = file.read(offsets[n]!, counts?.[n] ?? length);
        const block = tiffBlock(stored, compression, length, path);
        if (predictor !== 1) undoPrediction(block, { rowBytes, samples: perBlock, sampleBytes, littleEndian, predictor });
        for (let y = 0; y < Math.min(rows, height - row * blockHeight); y++) {
          const inside = Math.min(blockWidth, width - column * blockWidth);
          const from = block.subarray(y * rowBytes, (y + 1) * rowBytes);
          const to = ((row * blockHeight + y) * width + column * blockWidth) * samples + plane;
          if (bits < 8) unpack(from, bits, inside * perBlock, pixels, to, isPlanar ? samples : 1);
          else if (isPlanar) scatter(from, inside, sampleBytes, pixels, to, samples);
          else pixels.set(from.subarray(0, inside * samples * sampleBytes), to * sampleBytes);
        }
      }
    }
  }
  return pixels;
}

function unpack(row: Uint8Array, bits: number, count: number, pixels: Uint8Array, to: number, step: number): void {
  const mask = (1 << bits) - 1;
  for (let n = 0; n < count; n++) pixels[to + n * step] = (row[(n * bits) >> 3]! >> (8 - bits - ((n * bits) & 7))) & mask;
}

function scatter(row: Uint8Array, count: number, sampleBytes: number, pixels: Uint8Array, to: number, step: number): void {
  for (let n = 0; n < count; n++) for (let b = 0; b < sampleBytes; b++) pixels[(to + n * step) * sampleBytes + b] = row[n * sampleBytes + b]!;
}

/** Unsigned integers whose smallest value is white. */
function invert(pixels: Uint8Array, bits: number): void {
  const top = bits < 8 ? (1 << bits) - 1 : 255;
  for (let n = 0; n < pixels.length; n++) pixels[n] = top - pixels[n]!;
}

/** All reds, then all greens, then all blues, of 16 bits. */
function paletteOf(page: TiffDirectory, bits: number): Uint8Array {
  const colors = 1 << bits;
  const map = page.numbers(320);
  return Uint8Array.from({ length: 3 * colors }, (_, n) => (map[(n % 3) * colors + Math.floor(n / 3)] ?? 0) >> 8);
}
