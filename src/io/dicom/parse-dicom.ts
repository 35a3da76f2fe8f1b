import { inflateRawSync } from "node:zlib";
import { errorMessage, VoxError } from "../../core/errors.js";
import { DicomDataset } from "./dicom-dataset.js";
import { DICOM_TAGS, type DicomTag } from "./dicom-tags.js";
import { FileBytes } from "./file-bytes.js";
import { TRANSFER_SYNTAXES, type TransferSyntax } from "./transfer-syntaxes.js";

export interface ParsedDicom {
  readonly dataset: DicomDataset;
  /** UID of the transfer syntax. */
  readonly syntax: string;
  readonly pixels?: StoredPixels;
  /** Where `pixels` lie: the file, or what it inflates to. */
  readonly bytes: FileBytes;
}

export interface StoredPixels {
  readonly offset: number;
  /** Undefined where the pixels lie in fragments from `offset` on. */
  readonly length?: number;
  /** What the pixel data element holds: integers, or floats of 32 or 64 bits. */
  readonly element: "integer" | "float32" | "float64";
  /** Whether bytes lie in words of 16 bits, which matters for single bytes in big-endian files. */
  readonly isWords?: boolean;
}

export interface ParseDicomOptions {
  /** What is kept; everything else is skipped without being read. */
  readonly wanted: ReadonlySet<number>;
  /** Attributes from this tag on are not looked at. */
  readonly until?: number;
}

const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const PIXEL_TAGS: Readonly<Record<number, StoredPixels["element"]>> = { 2145386504: "float32", 2145386505: "float64", 2145386512: "integer" };
const UNDEFINED_LENGTH = 0xffffffff;
/** Representations with a length of 16 bits; all others, those still to come included, have 32 (PS3.5, 7.1.2). */
const SHORT_VRS = new Set("AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split(" "));
const MAX_DEPTH = 16;
/** Far above what the largest segmentations have; a file of empty elements must not keep anyone busy for minutes. */
const MAX_ELEMENTS = 8 * 1024 ** 2;
/** The longest value that is kept: contours of millions of points. */
const MAX_VALUE_BYTES = 64 * 1024 ** 2;
/** Deflated files are held whole. */
const MAX_INFLATED_BYTES = 256 * 1024 ** 2;

/** Numbers of attributes, for `wanted`. */
export function tagsOf(names: readonly DicomTag[]): ReadonlySet<number> {
  return new Set(names.map((name) => DICOM_TAGS[name][0]));
}

/**
 * The wanted attributes of a DICOM file and where its pixels lie. Reads no pixels; of elements that are not wanted it reads the length only.
 *
 * @throws `ERR_FORMAT` when the file is no DICOM file, or not a valid one, or has a transfer syntax that is not read; `ERR_TRUNCATED`
 * @source DICOM PS3.5, section 7; PS3.10, section 7
 */
export function parseDicom(file: FileBytes, { wanted, until = Number.POSITIVE_INFINITY }: ParseDicomOptions): ParsedDicom {
  const meta = readMeta(file, startOf(file));
  const syntax = meta.syntax ?? guessSyntax(file, meta.end);
  const known = TRANSFER_SYNTAXES[syntax];
  if (!known) {
    const names = Object.values(TRANSFER_SYNTAXES).map(({ name }) => name);
    throw new VoxError(`the transfer syntax must be one of ${names.join(", ")}, got ${syntax}`, { code: "ERR_FORMAT", where: file.path });
  }
  const bytes = known.isDeflated ? inflated(file, meta.end) : file;
  const walk = new Walk(bytes, wanted, until);
  const start = known.isDeflated ? 0 : meta.end;
  // Some writers name an explicit syntax and write an implicit one.
  const isImplicit = known.isExplicit && known.isLittleEndian && bytes.size >= start + 8 && !namesVr(bytes, start);
  const { dataset, pixels } = walk.top(start, isImplicit ? { ...known, isExplicit: false } : known);
  return { dataset, syntax, bytes, ...(pixels && { pixels }) };
}

/** Whether a file begins as DICOM files do. */
export function hasDicomPrefix(file: FileBytes): boolean {
  return file.size >= 132 && file.bytes(128, 4).toString("latin1") === "DICM";
}

/** Old files begin with their first element. */
function startOf(file: FileBytes): number {
  if (hasDicomPrefix(file)) return 132;
  if (file.size >= 8) {
    const group = file.uint16(0, true);
    if (group === 2 || group === 8) return 0;
  }
  throw new VoxError('the file must be a DICOM file with "DICM" behind its first 128 bytes, got something else', {
    code: "ERR_FORMAT",
    where: file.path,
  });
}

/** Group 2 is always explicit and little-endian; its own length attribute is often missing or wrong, and not needed. */
function readMeta(file: FileBytes, start: number): { readonly syntax?: string; readonly end: number } {
  let at = start;
  let syntax: string | undefined;
  while (at + 8 <= file.size && file.uint16(at, true) === 2) {
    const { tag, length, value } = readElementHeader(file, at, EXPLICIT_LITTLE);
    if (value + length > file.size) throw truncated(file, value + length);
    if (tag === DICOM_TAGS.TransferSyntaxUID[0] && length <= 64)
      syntax = file
        .bytes(value, length)
        .toString("latin1")
        .replace(/[\0 ]+$/, "");
    at = value + length;
  }
  return { end: at, ...(syntax ? { syntax } : {}) };
}

/** Where a file does not say it: explicit if the first element names a value representation. */
function guessSyntax(file: FileBytes, at: number): string {
  if (at + 6 > file.size) throw truncated(file, at + 6);
  if (!namesVr(file, at)) return "1.2.840.10008.1.2";
  return file.uint16(at, true) > 0xff ? "1.2.840.10008.1.2.2" : "1.2.840.10008.1.2.1";
}

function namesVr(file: FileBytes, at: number): boolean {
  return /^[A-Z]{2}$/.test(file.bytes(at + 4, 2).toString("latin1"));
}

function inflated(file: FileBytes, start: number): FileBytes {
  try {
    return FileBytes.ofMemory(file.path, inflateRawSync(file.bytes(start, file.size - start), { maxOutputLength: MAX_INFLATED_BYTES }));
  } catch (cause) {
    const isBomb = (cause as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
    const isCut = /unexpected end of file/.test(errorMessage(cause));
    throw new VoxError(
      isBomb
        ? `a deflated file must hold at most ${MAX_INFLATED_BYTES} bytes, got more`
        : `the deflated data must be valid and complete, got ${errorMessage(cause)}`,
      { code: isCut ? "ERR_TRUNCATED" : "ERR_FORMAT", where: file.path, cause },
    );
  }
}

interface Encoding {
  readonly isExplicit: boolean;
  readonly isLittleEndian: boolean;
}

const EXPLICIT_LITTLE: Encoding = { isExplicit: true, isLittleEndian: true };
const IMPLICIT_LITTLE: Encoding = { isExplicit: false, isLittleEndian: true };

interface ElementHeader {
  readonly tag: number;
  /** Undefined where the file does not say it. */
  readonly vr: string | undefined;
  readonly length: number;
  /** Where the value begins. */
  readonly value: number;
}

function readElementHeader(bytes: FileBytes, at: number, { isExplicit, isLittleEndian }: Encoding): ElementHeader {
  const tag = bytes.uint16(at, isLittleEndian) * 0x10000 + bytes.uint16(at + 2, isLittleEndian);
  // Items and delimiters have no representation in any syntax.
  if (!isExplicit || tag >>> 16 === 0xfffe) return { tag, vr: undefined, length: bytes.uint32(at + 4, isLittleEndian), value: at + 8 };
  const letters = bytes.uint16(at + 4, false);
  const vr = String.fromCharCode(letters >> 8, letters & 0xff);
  if (!/^[A-Z]{2}$/.test(vr)) {
    throw new VoxError(`each element must name its value representation by two letters, got ${JSON.stringify(vr)} at byte ${at}`, {
      code: "ERR_FORMAT",
      where: bytes.path,
    });
  }
  if (SHORT_VRS.has(vr)) return { tag, vr, length: bytes.uint16(at + 6, isLittleEndian), value: at + 8 };
  return { tag, vr, length: bytes.uint32(at + 8, isLittleEndian), value: at + 12 };
}

function truncated({ path, size }: FileBytes, needed: number): VoxError {
  return new VoxError(`the file must have ${needed} bytes for what its header announces, got ${size}`, { code: "ERR_TRUNCATED", where: path });
}

const SEQUENCES: ReadonlySet<number> = new Set(
  Object.values(DICOM_TAGS)
    .filter(([, vr]) => vr === "SQ")
    .map(([tag]) => tag),
);

/** One pass over the elements of a file; positions only grow, so it ends. */
class Walk {
  private elements = 0;

  constructor(
    private readonly bytes: FileBytes,
    private readonly wanted: ReadonlySet<number>,
    private readonly until: number,
  ) {}

  top(start: number, encoding: TransferSyntax): { readonly dataset: DicomDataset; readonly pixels?: StoredPixels } {
    const dataset = new DicomDataset(this.bytes.path, encoding.isLittleEndian);
    let at = start;
    // Fewer bytes than an element has are padding.
    while (at + 8 <= this.bytes.size) {
      const header = this.header(at, encoding);
      if (header.tag >= this.until) break;
      const element = PIXEL_TAGS[header.tag];
      if (element) {
        const { length, value: offset, vr } = header;
        return { dataset, pixels: { offset, element, ...(length === UNDEFINED_LENGTH ? {} : { length }), ...(vr === "OW" && { isWords: true }) } };
      }
      at = this.element(header, dataset, this.bytes.size, encoding, 0);
    }
    return { dataset };
  }

  private header(at: number, encoding: Encoding): ElementHeader {
    if (++this.elements > MAX_ELEMENTS) throw this.invalid(`a file must have at most ${MAX_ELEMENTS} elements, got more`);
    return readElementHeader(this.bytes, at, encoding);
  }

  /** Keeps or skips one element and returns where the next one begins. */
  private element(
    { tag, vr, length, value }: ElementHeader,
    dataset: DicomDataset | undefined,
    end: number,
    encoding: Encoding,
    depth: number,
  ): number {
    const into = dataset && this.wanted.has(tag) ? dataset : undefined;
    const isSequence = vr === "SQ" || ((vr === undefined || vr === "UN") && SEQUENCES.has(tag));
    // A sequence whose representation a writer did not know is implicit, whatever the file is (PS3.5, 6.2.2).
    const inner = vr === "UN" ? IMPLICIT_LITTLE : encoding;
    if (length === UNDEFINED_LENGTH) {
      if (vr !== undefined && vr !== "SQ" && vr !== "UN") return this.fragments(value, end);
      return this.sequence(value, end, true, into, tag, inner, depth);
    }
    if (value + length > end) {
      if (end === this.bytes.size) throw truncated(this.bytes, value + length);
      throw this.invalid(`an element must end within its item, got ${length} bytes at byte ${value} with ${end - value} left`);
    }
    if (!into) return value + length;
    if (isSequence) return this.sequence(value, value + length, false, into, tag, inner, depth);
    if (length > MAX_VALUE_BYTES) throw this.invalid(`a value must have at most ${MAX_VALUE_BYTES} bytes, got ${length} at byte ${value}`);
    into.set(tag, this.bytes.bytes(value, length));
    return value + length;
  }

  private sequence(
    start: number,
    end: number,
    isOpen: boolean,
    into: DicomDataset | undefined,
    tag: number,
    encoding: Encoding,
    depth: number,
  ): number {
    if (depth >= MAX_DEPTH) throw this.invalid(`sequences must be nested at most ${MAX_DEPTH} deep, got more`);
    const items: DicomDataset[] = [];
    let at = start;
    while (isOpen || at < end) {
      if (at + 8 > end) throw truncated(this.bytes, at + 8);
      const header = this.header(at, encoding);
      if (isOpen && header.tag === SEQUENCE_END) {
        at = header.value;
        break;
      }
      if (header.tag !== ITEM) throw this.invalid(`a sequence must consist of items, got tag ${hex(header.tag)} at byte ${at}`);
      const item = into && new DicomDataset(this.bytes.path, encoding.isLittleEndian, into);
      at = this.item(header, end, item, encoding, depth + 1);
      if (item) items.push(item);
    }
    into?.set(tag, items);
    return at;
  }

  private item({ length, value }: ElementHeader, end: number, item: DicomDataset | undefined, encoding: Encoding, depth: number): number {
    const isOpen = length === UNDEFINED_LENGTH;
    const itemEnd = isOpen ? end : value + length;
    if (itemEnd > end) throw this.invalid(`an item must end within its sequence, got ${length} bytes at byte ${value} with ${end - value} left`);
    if (!isOpen && !item) return itemEnd;
    let at = value;
    while (isOpen || at < itemEnd) {
      if (at + 8 > itemEnd) throw truncated(this.bytes, at + 8);
      const header = this.header(at, encoding);
      if (isOpen && header.tag === ITEM_END) return header.value;
      if (header.tag >>> 16 === 0xfffe) throw this.invalid(`an item must consist of elements, got tag ${hex(header.tag)} at byte ${at}`);
      at = this.element(header, item, itemEnd, encoding, depth);
    }
    return at;
  }

  /** Compressed pixels inside of a sequence, such as an icon's. */
  private fragments(start: number, end: number): number {
    let at = start;
    for (;;) {
      if (at + 8 > end) throw truncated(this.bytes, at + 8);
      const { tag, length, value } = this.header(at, EXPLICIT_LITTLE);
      if (tag === SEQUENCE_END) return value;
      if (tag !== ITEM || value + length > end) throw this.invalid(`fragments must be items, got tag ${hex(tag)} of ${length} bytes at byte ${at}`);
      at = value + length;
    }
  }

  private invalid(sentence: string): VoxError {
    return new VoxError(sentence, { code: "ERR_FORMAT", where: this.bytes.path });
  }
}

function hex(tag: number): string {
  const digits = tag.toString(16).padStart(8, "0");
  return `(${digits.slice(0, 4)},${digits.slice(4)})`;
}
