import { VoxError } from "../../core/errors.js";
import { fileBytes } from "./file-bytes.js";
import type { Picture, PictureReader } from "./picture.js";
import { colorsOf } from "./read-png.js";

/**
 * BMP without compression: 1, 4 and 8 bits with a palette, 24 and 32 bits of color; rows in either order.
 *
 * @source Microsoft BITMAPINFOHEADER
 */
export const readBmp: PictureReader = {
  name: "bmp",
  title: "BMP",
  extensions: [".bmp"],
  isLossy: false,
  matches: (bytes) => bytes[0] === 0x42 && bytes[1] === 0x4d,
  open,
};

/** BITMAPINFOHEADER's numbers: none, and given masks, which are the usual ones with 32 bits. */
const PLAIN = 0;
const BIT_FIELDS = 3;
const USUAL_MASKS = [0xff0000, 0xff00, 0xff];

function open(path: string, keepsIndices: boolean): Picture {
  const bytes = fileBytes(path);
  const fail = (sentence: string, code: "ERR_FORMAT" | "ERR_HEADER" | "ERR_TRUNCATED"): never => {
    throw new VoxError(sentence, { code, where: path });
  };
  if (bytes[0] !== 0x42 || bytes[1] !== 0x4d)
    fail(`the file must begin as BMP files do, got first bytes ${bytes.toString("hex", 0, 8)}`, "ERR_FORMAT");
  if (bytes.length < 54) fail(`a BMP header must have 54 bytes, got ${bytes.length}`, "ERR_TRUNCATED");
  const headerBytes = bytes.readUInt32LE(14);
  if (headerBytes < 40) fail(`a BMP header must be BITMAPINFOHEADER or later, got one of ${headerBytes} bytes`, "ERR_HEADER");
  const start = bytes.readUInt32LE(10);
  const width = bytes.readInt32LE(18);
  const rows = bytes.readInt32LE(22);
  const height = Math.abs(rows);
  const bits = bytes.readUInt16LE(28);
  const compression = bytes.readUInt32LE(30);
  if (width < 1 || height < 1) fail(`a BMP picture must have pixels, got ${width} x ${rows}`, "ERR_HEADER");
  if (![1, 4, 8, 24, 32].includes(bits)) fail(`a BMP picture must have 1, 4, 8, 24 or 32 bits, got ${bits}`, "ERR_HEADER");
  const hasUsualMasks =
    compression === BIT_FIELDS && bits === 32 && bytes.length >= 66 && USUAL_MASKS.every((mask, n) => bytes.readUInt32LE(54 + 4 * n) === mask);
  if (compression !== PLAIN && !hasUsualMasks)
    fail(`a BMP picture must be uncompressed with 8 bits a color, got compression ${compression}`, "ERR_FORMAT");
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  if (start < 54 || start + rowBytes * height > bytes.length) {
    fail(
      `the file must have ${start + rowBytes * height} bytes for its header and ${width} x ${height} pixels, got ${bytes.length}`,
      "ERR_TRUNCATED",
    );
  }
  const hasPalette = bits <= 8;
  const samples = bits <= 8 ? 1 : bits / 8;
  const mask = (1 << bits) - 1;
  return {
    width,
    height,
    depth: 1,
    pageChannels: 1,
    bands: hasPalette && keepsIndices ? 1 : 3,
    extra: bits === 32 ? 1 : 0,
    dtype: "uint8",
    littleEndian: true,
    page: () => {
      const pixels = new Uint8Array(width * height * samples);
      for (let y = 0; y < height; y++) {
        // Rows run upwards unless the height is negative.
        const from = start + rowBytes * (rows > 0 ? height - 1 - y : y);
        const to = y * width * samples;
        for (let x = 0; x < width; x++) {
          if (hasPalette) pixels[to + x] = (bytes[from + ((x * bits) >> 3)]! >> (8 - bits - ((x * bits) & 7))) & mask;
          else for (let b = 0; b < samples; b++) pixels[to + x * samples + b] = bytes[from + x * samples + (b < 3 ? 2 - b : b)]!;
        }
      }
      return hasPalette && !keepsIndices
        ? colorsOf(pixels, paletteOf(bytes, 14 + headerBytes, Math.min(start, 14 + headerBytes + 4 * (mask + 1))), path)
        : pixels;
    },
  };
}

/** Stored as blue, green, red, nothing. */
function paletteOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const palette = new Uint8Array(Math.max(0, Math.floor((to - from) / 4)) * 3);
  for (let n = 0; n < palette.length / 3; n++) for (let b = 0; b < 3; b++) palette[3 * n + b] = bytes[from + 4 * n + 2 - b]!;
  return palette;
}
