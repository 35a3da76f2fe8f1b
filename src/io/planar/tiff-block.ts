import { inflateSync } from "node:zlib";
import { VoxError } from "../../core/errors.js";
import { gzipError } from "../is-gzip.js";

/** How far each compression of TIFF can expand, by its number; what is not here is not read. */
export const TIFF_RATIOS: Readonly<Record<number, number>> = { 1: 1, 5: 4096, 8: 1032, 32946: 1032, 32773: 64 };

/** Compressions that are refused, by name. */
export const REFUSED_TIFF: Readonly<Record<number, string>> = {
  2: "CCITT Huffman",
  3: "CCITT Group 3",
  4: "CCITT Group 4",
  6: "JPEG (old)",
  7: "JPEG",
  34712: "JPEG 2000",
  34925: "LZMA",
  50000: "Zstandard",
  50001: "WebP",
};

/**
 * Decompresses a strip or tile.
 *
 * @throws `ERR_TRUNCATED` when it has fewer bytes than wanted, `ERR_FORMAT`, `ERR_CHECKSUM`
 * @source TIFF 6.0, sections 9 and 13; Adobe Photoshop TIFF Technical Notes (deflate)
 */
export function tiffBlock(stored: Uint8Array, compression: number, length: number, path: string): Uint8Array {
  const bytes = decompressed(stored, compression, length, path);
  if (bytes.length >= length) return bytes.subarray(0, length);
  throw new VoxError(`a strip or tile must have ${length} bytes, got ${bytes.length}`, { code: "ERR_TRUNCATED", where: path });
}

function decompressed(stored: Uint8Array, compression: number, length: number, path: string): Uint8Array {
  switch (compression) {
    case 1:
      return stored;
    case 5:
      return lzw(stored, length, path);
    case 32773:
      return packBits(stored, length);
    default:
      try {
        return inflateSync(stored, { maxOutputLength: length + 65536 });
      } catch (error) {
        throw gzipError(path, error, "zlib");
      }
  }
}

function packBits(stored: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let to = 0;
  for (let at = 0; at < stored.length && to < length; ) {
    const run = stored[at++]!;
    if (run < 128) {
      const literal = stored.subarray(at, Math.min(at + run + 1, at + length - to));
      bytes.set(literal, to);
      to += literal.length;
      at += run + 1;
    } else if (run > 128 && at < stored.length) {
      const end = Math.min(to + 257 - run, length);
      bytes.fill(stored[at++]!, to, end);
      to = end;
    }
  }
  return bytes.subarray(0, to);
}

const CLEAR = 256;
const END = 257;

/** Codes of 9 to 12 bits, the highest bit first, which grow one code early. */
function lzw(stored: Uint8Array, length: number, path: string): Uint8Array {
  const bytes = new Uint8Array(length);
  const prefix = new Uint16Array(4097);
  const suffix = new Uint8Array(4097);
  const lengths = new Uint16Array(4097).fill(1, 0, 256);
  for (let n = 0; n < 256; n++) suffix[n] = n;
  let [width, next, previous, to, bits, have] = [9, 258, -1, 0, 0, 0];
  for (let at = 0; to < length; ) {
    while (have < width && at < stored.length) {
      bits = ((bits << 8) | stored[at++]!) & 0xffffff;
      have += 8;
    }
    if (have < width) break;
    const code = (bits >>> (have - width)) & ((1 << width) - 1);
    have -= width;
    if (code === END) break;
    if (code === CLEAR) {
      [width, next, previous] = [9, 258, -1];
      continue;
    }
    if (code > next || (code >= 256 && previous < 0) || (code === next && previous < 0)) {
      throw new VoxError(`LZW codes must be known, got ${code} of ${next}`, { code: "ERR_FORMAT", where: path });
    }
    if (previous >= 0 && next < 4096) {
      prefix[next] = previous;
      lengths[next] = lengths[previous]! + 1;
      let first = code === next ? previous : code;
      while (first >= 256) first = prefix[first]!;
      suffix[next] = first;
      next++;
      if (next === (1 << width) - 1 && width < 12) width++;
    } else if (code >= next) throw new VoxError(`LZW codes must be known, got ${code} of ${next}`, { code: "ERR_FORMAT", where: path });
    const run = lengths[code]!;
    for (let n = run - 1, from = code; n >= 0; n--, from = prefix[from]!) if (to + n < length) bytes[to + n] = suffix[from]!;
    to += run;
    previous = code;
  }
  return bytes.subarray(0, Math.min(to, length));
}

/**
 * Undoes the prediction of a block of rows, in place: 2 adds the sample to the left, 3 the byte to the left of floats whose bytes are sorted.
 *
 * @source TIFF 6.0, section 14; TIFF Technical Note 3
 */
export function undoPrediction(
  block: Uint8Array,
  rows: {
    readonly rowBytes: number;
    readonly samples: number;
    readonly sampleBytes: number;
    readonly littleEndian: boolean;
    readonly predictor: number;
  },
): void {
  const { rowBytes, samples, sampleBytes, littleEndian, predictor } = rows;
  if (predictor === 3) {
    undoFloats(block, rowBytes, samples, sampleBytes, littleEndian);
    return;
  }
  const step = samples * sampleBytes;
  for (let row = 0; row < block.length; row += rowBytes) {
    for (let at = row + step; at < row + rowBytes; at += sampleBytes) {
      let carry = 0;
      for (let b = 0; b < sampleBytes; b++) {
        const place = at + (littleEndian ? b : sampleBytes - 1 - b);
        const sum = block[place]! + block[place - step]! + carry;
        block[place] = sum;
        carry = sum >> 8;
      }
    }
  }
}

/** The bytes of a row are sorted by significance, the highest first. */
function undoFloats(block: Uint8Array, rowBytes: number, samples: number, sampleBytes: number, littleEndian: boolean): void {
  const sorted = new Uint8Array(rowBytes);
  const count = rowBytes / sampleBytes;
  for (let row = 0; row < block.length; row += rowBytes) {
    sorted.set(block.subarray(row, row + rowBytes));
    for (let n = samples; n < rowBytes; n++) sorted[n] = sorted[n]! + sorted[n - samples]!;
    for (let n = 0; n < count; n++) {
      for (let b = 0; b < sampleBytes; b++) block[row + n * sampleBytes + (littleEndian ? sampleBytes - 1 - b : b)] = sorted[b * count + n]!;
    }
  }
}
