import { VoxError } from "../../core/errors.js";

/** Reads bytes of a file at a place. */
export interface RandomBytes {
  readonly size: number;
  /** @throws `ERR_TRUNCATED` when the file ends before */
  read(at: number, length: number): Buffer;
}

/** The fields of one page; numbers only, but for the description. */
export interface TiffDirectory {
  /** Values of a tag, or its default. */
  numbers(tag: number, otherwise?: readonly number[]): readonly number[];
  text(tag: number): string | undefined;
}

export interface TiffFile {
  readonly littleEndian: boolean;
  readonly directories: readonly TiffDirectory[];
}

/** Bytes of a value of each type; rationals count as two numbers. */
const TYPE_BYTES: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
};
const MOST_PAGES = 65536;
const MOST_VALUES = 2 ** 22;
/** Places and lengths of strips and tiles, and the colors of a palette: what may have many values. */
const LONG_TAGS = [273, 279, 320, 324, 325];
const MOST_OTHER_VALUES = 256;

/**
 * The pages of a TIFF or BigTIFF file, in either byte order; thumbnails and masks are left out.
 *
 * @throws `ERR_FORMAT`, `ERR_HEADER`, `ERR_TRUNCATED`
 * @source TIFF 6.0, section 2; BigTIFF (libtiff)
 */
export function tiffDirectories(file: RandomBytes, path: string): TiffFile {
  const head = file.read(0, Math.min(16, file.size));
  const order = head.toString("latin1", 0, 2);
  const littleEndian = order === "II";
  const magic = head.length >= 8 ? (littleEndian ? head.readUInt16LE(2) : head.readUInt16BE(2)) : 0;
  if ((order !== "II" && order !== "MM") || (magic !== 42 && magic !== 43)) {
    throw new VoxError(`the file must begin as TIFF files do, got first bytes ${head.toString("hex", 0, 8)}`, { code: "ERR_FORMAT", where: path });
  }
  const isBig = magic === 43;
  const integer = (bytes: Buffer, at: number, size: number): number => {
    if (size === 8) return Number(littleEndian ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
    return littleEndian ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
  };
  const wide = isBig ? 8 : 4;
  const directories: TiffDirectory[] = [];
  const seen = new Set<number>();
  let tagBytes = 0;
  for (let at = integer(file.read(isBig ? 8 : 4, wide), 0, wide); at !== 0; ) {
    if (seen.has(at))
      throw new VoxError(`pages must follow each other to an end, got page ${seen.size + 1} at ${at} again`, { code: "ERR_FORMAT", where: path });
    if (seen.size >= MOST_PAGES)
      throw new VoxError(`a TIFF file must have at most ${MOST_PAGES} pages, got more`, { code: "ERR_HEADER", where: path });
    seen.add(at);
    const count = integer(file.read(at, isBig ? 8 : 2), 0, isBig ? 8 : 2);
    if (count > 65535) throw new VoxError(`a page must have at most 65535 tags, got ${count}`, { code: "ERR_HEADER", where: path });
    const first = at + (isBig ? 8 : 2);
    const entryBytes = isBig ? 20 : 12;
    tagBytes += count * entryBytes;
    if (tagBytes > file.size)
      throw new VoxError(`pages must not share their tags, got ${tagBytes} bytes of them in a file of ${file.size}`, {
        code: "ERR_HEADER",
        where: path,
      });
    const table = file.read(first, count * entryBytes + wide);
    const entries = new Map<number, Buffer>();
    for (let n = 0; n < count; n++) entries.set(integer(table, n * entryBytes, 2), table.subarray(n * entryBytes, (n + 1) * entryBytes));
    const directory = directoryOf(entries, file, { integer, wide, littleEndian, path });
    // Bit 0: a smaller copy; bit 2: a mask of transparency.
    if ((directory.numbers(254, [0])[0]! & 5) === 0) directories.push(directory);
    at = integer(table, count * entryBytes, wide);
  }
  if (directories.length === 0) throw new VoxError("the TIFF file must have a page, got none", { code: "ERR_FORMAT", where: path });
  return { littleEndian, directories };
}

interface Reading {
  readonly integer: (bytes: Buffer, at: number, size: number) => number;
  readonly wide: 4 | 8;
  readonly littleEndian: boolean;
  readonly path: string;
}

function directoryOf(entries: ReadonlyMap<number, Buffer>, file: RandomBytes, { integer, wide, littleEndian, path }: Reading): TiffDirectory {
  const bytesOf = (tag: number): { readonly type: number; readonly count: number; readonly bytes: Buffer } | undefined => {
    const entry = entries.get(tag);
    if (!entry) return undefined;
    const type = integer(entry, 2, 2);
    const size = TYPE_BYTES[type];
    const count = integer(entry, 4, wide);
    if (size === undefined) throw new VoxError(`tag ${tag} must be of a known type, got type ${type}`, { code: "ERR_HEADER", where: path });
    if (count > MOST_VALUES)
      throw new VoxError(`tag ${tag} must have at most ${MOST_VALUES} values, got ${count}`, { code: "ERR_HEADER", where: path });
    const length = size * count;
    const place = 4 + wide;
    return { type, count, bytes: length <= wide ? entry.subarray(place, place + length) : file.read(integer(entry, place, wide), length) };
  };
  return {
    numbers: (tag, otherwise) => {
      const found = bytesOf(tag);
      if (!found || found.count === 0) {
        if (otherwise) return otherwise;
        throw new VoxError(`the TIFF page must have tag ${tag}, got none`, { code: "ERR_HEADER", where: path });
      }
      const { type, count, bytes } = found;
      if (count > MOST_OTHER_VALUES && !LONG_TAGS.includes(tag))
        throw new VoxError(`tag ${tag} must have at most ${MOST_OTHER_VALUES} values, got ${count}`, { code: "ERR_HEADER", where: path });
      return Array.from({ length: count }, (_, n) => {
        switch (type) {
          case 5:
          case 10:
            return integer(bytes, 8 * n, 4) / integer(bytes, 8 * n + 4, 4);
          case 11:
            return littleEndian ? bytes.readFloatLE(4 * n) : bytes.readFloatBE(4 * n);
          case 12:
            return littleEndian ? bytes.readDoubleLE(8 * n) : bytes.readDoubleBE(8 * n);
          default:
            return integer(bytes, TYPE_BYTES[type]! * n, TYPE_BYTES[type]!);
        }
      });
    },
    text: (tag) =>
      bytesOf(tag)
        ?.bytes.toString("latin1")
        .replace(/\0[\s\S]*$/, ""),
  };
}
