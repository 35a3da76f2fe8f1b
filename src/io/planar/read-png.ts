import { inflateSync } from "node:zlib";
import { VoxError } from "../../core/errors.js";
import { gzipError, MAX_DEFLATE_RATIO } from "../is-gzip.js";
import { fileBytes } from "./file-bytes.js";
import { BELIEVED_BYTES, type Picture, type PictureReader } from "./picture.js";
import { isPng, type PngChunks, pngChunks } from "./png-chunks.js";
import { writePng } from "./write-png.js";

/**
 * PNG, all color types and depths, also interlaced. Values are those that are stored: 4-bit gray is 0 to 15. Opacity, gamma and color profiles are not applied.
 *
 * @source PNG (ISO/IEC 15948, W3C)
 */
export const readPng: PictureReader = {
  name: "png",
  title: "PNG",
  extensions: [".png"],
  isLossy: false,
  matches: isPng,
  open,
  write: writePng,
};

/** First pixel and step of each pass of Adam7: x, y, step in x, step in y. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

const SAMPLES = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;

interface Pass {
  readonly width: number;
  readonly height: number;
  readonly x: number;
  readonly y: number;
  readonly stepX: number;
  readonly stepY: number;
}

function open(path: string, keepsIndices: boolean): Picture {
  const chunks = pngChunks(fileBytes(path), path);
  const { width, height, bitDepth, colorType, data } = chunks;
  const hasColors = colorType === 3 && !keepsIndices;
  const rowBytes = (passWidth: number): number => Math.ceil((passWidth * SAMPLES[colorType] * bitDepth) / 8);
  const passes = passesOf(chunks);
  const raw = passes.reduce((sum, pass) => sum + pass.height * (1 + rowBytes(pass.width)), 0);
  requireRoom(chunks, raw, path);
  return {
    width,
    height,
    depth: 1,
    pageChannels: 1,
    bands: hasColors || colorType === 2 || colorType === 6 ? 3 : 1,
    extra: colorType >= 4 ? 1 : 0,
    dtype: bitDepth === 16 ? "uint16" : "uint8",
    littleEndian: false,
    page: () => {
      const inflated = inflate(data, raw, path);
      const samples = new Uint8Array(width * height * SAMPLES[colorType] * (bitDepth === 16 ? 2 : 1));
      let at = 0;
      for (const pass of passes) {
        const bytes = pass.height * (1 + rowBytes(pass.width));
        unfilter(inflated.subarray(at, at + bytes), rowBytes(pass.width), Math.max(1, (SAMPLES[colorType] * bitDepth) >> 3), path);
        place(inflated.subarray(at, at + bytes), rowBytes(pass.width), pass, chunks, samples);
        at += bytes;
      }
      return hasColors ? colorsOf(samples, chunks.palette, path) : samples;
    },
  };
}

function passesOf({ width, height, isInterlaced }: PngChunks): readonly Pass[] {
  if (!isInterlaced) return [{ width, height, x: 0, y: 0, stepX: 1, stepY: 1 }];
  return PASSES.map(([x, y, stepX, stepY]) => ({
    width: Math.ceil((width - x) / stepX),
    height: Math.ceil((height - y) / stepY),
    x,
    y,
    stepX,
    stepY,
  })).filter((pass) => pass.width > 0 && pass.height > 0);
}

function requireRoom({ width, height, data }: PngChunks, raw: number, path: string): void {
  const stored = data.reduce((sum, { length }) => sum + length, 0);
  if (raw > stored * MAX_DEFLATE_RATIO) throw lacks(raw, width, height, `at most ${stored * MAX_DEFLATE_RATIO} (${stored} compressed)`, path);
  // Only what would take very much memory is worth being decompressed twice.
  if (raw > BELIEVED_BYTES) inflate(data, raw, path);
}

function lacks(raw: number, width: number, height: number, there: string, path: string): VoxError {
  return new VoxError(`the file must have ${raw} bytes for ${width} x ${height} pixels, got ${there}`, { code: "ERR_TRUNCATED", where: path });
}

function inflate(data: readonly Uint8Array[], raw: number, path: string): Buffer {
  let inflated: Buffer;
  try {
    // Zeros and some bytes more may follow, as in other readers.
    inflated = inflateSync(data.length === 1 ? data[0]! : Buffer.concat(data), { maxOutputLength: raw + 65536 });
  } catch (error) {
    if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") {
      throw new VoxError(`the pixels must have ${raw} bytes, got over ${raw + 65536}`, { code: "ERR_FORMAT", where: path, cause: error });
    }
    throw gzipError(path, error, "zlib");
  }
  if (inflated.length >= raw) return inflated;
  throw new VoxError(`the pixels must have ${raw} bytes, got ${inflated.length}`, { code: "ERR_TRUNCATED", where: path });
}

/** Undoes the filters of all rows, in place; each row begins with the number of its filter. */
function unfilter(rows: Uint8Array, rowBytes: number, step: number, path: string): void {
  for (let at = 0, above = -1; at < rows.length; above = at, at += rowBytes + 1) {
    const filter = rows[at]!;
    if (filter > 4) throw new VoxError(`row filters must be 0 to 4, got ${filter}`, { code: "ERR_FORMAT", where: path });
    if (filter === 0) continue;
    for (let n = 1; n <= rowBytes; n++) {
      const left = n > step ? rows[at + n - step]! : 0;
      const up = above < 0 ? 0 : rows[above + n]!;
      const corner = n > step && above >= 0 ? rows[above + n - step]! : 0;
      const predicted = filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : paeth(left, up, corner);
      rows[at + n] = rows[at + n]! + predicted;
    }
  }
}

function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
}

/** Unpacks the rows of a pass to whole bytes and puts them where they belong. */
function place(rows: Uint8Array, rowBytes: number, pass: Pass, { width, bitDepth, colorType }: PngChunks, samples: Uint8Array): void {
  const perPixel = SAMPLES[colorType] * (bitDepth === 16 ? 2 : 1);
  const mask = (1 << bitDepth) - 1;
  for (let row = 0; row < pass.height; row++) {
    const from = row * (rowBytes + 1) + 1;
    const to = (pass.y + row * pass.stepY) * width * perPixel;
    if (bitDepth >= 8 && pass.stepX === 1) {
      samples.set(rows.subarray(from, from + rowBytes), to);
      continue;
    }
    for (let n = 0; n < pass.width; n++) {
      const at = to + (pass.x + n * pass.stepX) * perPixel;
      if (bitDepth >= 8) for (let b = 0; b < perPixel; b++) samples[at + b] = rows[from + n * perPixel + b]!;
      else samples[at] = (rows[from + ((n * bitDepth) >> 3)]! >> (8 - bitDepth - ((n * bitDepth) & 7))) & mask;
    }
  }
}

/** Red, green, blue of each number. */
export function colorsOf(numbers: Uint8Array, palette: Uint8Array, path: string): Uint8Array {
  const colors = new Uint8Array(numbers.length * 3);
  for (let n = 0; n < numbers.length; n++) {
    const at = numbers[n]! * 3;
    if (at + 3 > palette.length) {
      throw new VoxError(`pixels must be numbers of the palette's ${Math.floor(palette.length / 3)} colors, got ${numbers[n]}`, {
        code: "ERR_FORMAT",
        where: path,
      });
    }
    colors[3 * n] = palette[at]!;
    colors[3 * n + 1] = palette[at + 1]!;
    colors[3 * n + 2] = palette[at + 2]!;
  }
  return colors;
}
