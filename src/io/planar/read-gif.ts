import { VoxError } from "../../core/errors.js";
import { fileBytes } from "./file-bytes.js";
import type { Picture, PictureReader } from "./picture.js";
import { colorsOf } from "./read-png.js";

/**
 * The first picture of a GIF file.
 *
 * @source GIF89a specification, with appendix F (LZW)
 */
export const readGif: PictureReader = {
  name: "gif",
  title: "GIF",
  extensions: [".gif"],
  isLossy: false,
  matches: (bytes) => /^GIF8[79]a/.test(Buffer.from(bytes.subarray(0, 6)).toString("latin1")),
  open,
};

/** A code of 12 bits stands for 4096 pixels at most. */
const MOST_PIXELS_PER_BYTE = 2731;
const EXTENSION = 0x21;
const IMAGE = 0x2c;

function open(path: string, keepsIndices: boolean): Picture {
  const bytes = fileBytes(path);
  if (!readGif.matches(bytes)) {
    throw new VoxError(`the file must begin as GIF files do, got first bytes ${bytes.toString("hex", 0, 8)}`, { code: "ERR_FORMAT", where: path });
  }
  const byte = (at: number): number => {
    if (at < bytes.length) return bytes[at]!;
    throw new VoxError(`the GIF file must go on to its picture, got the end of the file after ${bytes.length} bytes`, {
      code: "ERR_TRUNCATED",
      where: path,
    });
  };
  const short = (at: number): number => byte(at) + 256 * byte(at + 1);
  const [width, height] = [short(6), short(8)];
  const tableOf = (flags: number, at: number): Uint8Array | undefined =>
    flags & 0x80 ? bytes.subarray(at, at + 3 * 2 ** ((flags & 7) + 1)) : undefined;
  const global = tableOf(byte(10), 13);
  let at = 13 + (global?.length ?? 0);
  while (byte(at) === EXTENSION) {
    at += 2;
    while (byte(at) > 0) at += 1 + byte(at);
    at++;
  }
  if (byte(at) !== IMAGE) throw new VoxError(`the GIF file must hold a picture, got block ${byte(at)}`, { code: "ERR_FORMAT", where: path });
  const [left, top, w, h, flags] = [short(at + 1), short(at + 3), short(at + 5), short(at + 7), byte(at + 9)];
  const local = tableOf(flags, at + 10);
  const palette = local ?? global;
  if (width < 1 || height < 1 || w < 1 || h < 1 || left + w > width || top + h > height) {
    throw new VoxError(`the picture must lie on the screen of ${width} x ${height}, got ${w} x ${h} at ${left},${top}`, {
      code: "ERR_HEADER",
      where: path,
    });
  }
  if (!palette) throw new VoxError("the GIF picture must have a table of colors, got none", { code: "ERR_HEADER", where: path });
  if (width * height > bytes.length * MOST_PIXELS_PER_BYTE) {
    throw new VoxError(`the file must be able to hold ${width} x ${height} pixels, got ${bytes.length} bytes`, {
      code: "ERR_TRUNCATED",
      where: path,
    });
  }
  const data = at + 10 + (local?.length ?? 0);
  return {
    width,
    height,
    depth: 1,
    pageChannels: 1,
    bands: keepsIndices ? 1 : 3,
    extra: 0,
    dtype: "uint8",
    littleEndian: true,
    page: () => {
      const drawn = lzw(subBlocks(byte, bytes, data + 1), byte(data), w * h, path);
      const screen = new Uint8Array(width * height).fill(global ? byte(11) : 0);
      for (let n = 0, lines = linesOf(h, (flags & 0x40) !== 0); n < h; n++)
        screen.set(drawn.subarray(n * w, n * w + w), (top + lines[n]!) * width + left);
      return keepsIndices ? screen : colorsOf(screen, palette, path);
    },
  };
}

function subBlocks(byte: (at: number) => number, bytes: Buffer, from: number): Buffer {
  const blocks: Buffer[] = [];
  let at = from;
  for (; byte(at) > 0; at += 1 + byte(at)) blocks.push(bytes.subarray(at + 1, at + 1 + byte(at)));
  return Buffer.concat(blocks);
}

/** The line that each stored line is. */
function linesOf(height: number, isInterlaced: boolean): readonly number[] {
  const all = Array.from({ length: height }, (_, line) => line);
  if (!isInterlaced) return all;
  return [all.filter((y) => y % 8 === 0), all.filter((y) => y % 8 === 4), all.filter((y) => y % 4 === 2), all.filter((y) => y % 2 === 1)].flat();
}

function lzw(bytes: Uint8Array, minimum: number, count: number, path: string): Uint8Array {
  if (minimum < 2 || minimum > 8) throw new VoxError(`LZW codes must have 2 to 8 bits, got ${minimum}`, { code: "ERR_FORMAT", where: path });
  const clear = 1 << minimum;
  const prefix = new Uint16Array(4096);
  const suffix = new Uint8Array(4096);
  const lengths = new Uint16Array(4096).fill(1, 0, clear);
  for (let n = 0; n < clear; n++) suffix[n] = n;
  const pixels = new Uint8Array(count);
  let [width, next, previous, filled, bits, have] = [minimum + 1, clear + 2, -1, 0, 0, 0];
  for (let at = 0; filled < count; ) {
    while (have < width) {
      if (at >= bytes.length) {
        throw new VoxError(`the GIF picture must have ${count} pixels, got ${filled}`, { code: "ERR_TRUNCATED", where: path });
      }
      bits |= bytes[at++]! << have;
      have += 8;
    }
    const code = bits & ((1 << width) - 1);
    bits >>>= width;
    have -= width;
    if (code === clear) {
      [width, next, previous] = [minimum + 1, clear + 2, -1];
      continue;
    }
    if (code === clear + 1) throw new VoxError(`the GIF picture must have ${count} pixels, got ${filled}`, { code: "ERR_TRUNCATED", where: path });
    if (code > next || (code === next && previous < 0) || (code >= clear && previous < 0)) {
      throw new VoxError(`LZW codes must be known, got ${code} of ${next}`, { code: "ERR_FORMAT", where: path });
    }
    if (previous >= 0 && next < 4096) {
      prefix[next] = previous;
      lengths[next] = lengths[previous]! + 1;
      let first = code === next ? previous : code;
      while (first >= clear) first = prefix[first]!;
      suffix[next] = first;
      next++;
      if (next === 1 << width && width < 12) width++;
    } else if (code >= next) throw new VoxError(`LZW codes must be known, got ${code} of ${next}`, { code: "ERR_FORMAT", where: path });
    const length = lengths[code]!;
    for (let n = length - 1, from = code; n >= 0; n--, from = prefix[from]!) if (filled + n < count) pixels[filled + n] = suffix[from]!;
    filled += length;
    previous = code;
  }
  return pixels;
}
