import { VoxError } from "../../core/errors.js";
import { crc32 } from "../../kernels/crc32/crc32.js";

/** What a PNG file says of its pixels, which are still compressed. */
export interface PngChunks {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: 1 | 2 | 4 | 8 | 16;
  /** Gray 0, color 2, palette 3, gray with opacity 4, color with opacity 6. */
  readonly colorType: 0 | 2 | 3 | 4 | 6;
  readonly isInterlaced: boolean;
  /** Red, green, blue of each number. */
  readonly palette: Uint8Array;
  /** The zlib stream, in pieces. */
  readonly data: readonly Uint8Array[];
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function isPng(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && SIGNATURE.every((value, n) => bytes[n] === value);
}

const DEPTHS: Readonly<Record<number, readonly number[]>> = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };

/**
 * The chunks of a PNG file that matter for its pixels; their checksums are checked.
 *
 * @throws `ERR_FORMAT`, `ERR_HEADER`, `ERR_TRUNCATED`, `ERR_CHECKSUM`
 * @source PNG (ISO/IEC 15948, W3C), sections 5 and 11
 */
export function pngChunks(bytes: Buffer, path: string): PngChunks {
  const fail = (sentence: string, code: "ERR_FORMAT" | "ERR_HEADER" | "ERR_TRUNCATED" | "ERR_CHECKSUM"): never => {
    throw new VoxError(sentence, { code, where: path });
  };
  if (!isPng(bytes)) fail(`the file must begin as PNG files do, got first bytes ${bytes.toString("hex", 0, 8)}`, "ERR_FORMAT");
  let head: Omit<PngChunks, "palette" | "data"> | undefined;
  let palette: Uint8Array = new Uint8Array(0);
  const data: Uint8Array[] = [];
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length)
      return fail(`the PNG file must go on to its IEND chunk, got the end of the file after ${bytes.length} bytes`, "ERR_TRUNCATED");
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    if (at + 12 + length > bytes.length) {
      fail(`the ${JSON.stringify(type)} chunk must have ${length} bytes, got ${bytes.length - at - 12}`, "ERR_TRUNCATED");
    }
    const content = bytes.subarray(at + 8, at + 8 + length);
    // A capital letter: the picture cannot be understood without it.
    const isCritical = (bytes[at + 4]! & 0x20) === 0;
    if (isCritical && crc32(bytes.subarray(at + 4, at + 8 + length)) !== bytes.readUInt32BE(at + 8 + length)) {
      fail(`the checksum (CRC-32) of the ${type} chunk must fit its bytes, got another one`, "ERR_CHECKSUM");
    }
    if (!head && type !== "IHDR") fail(`the first chunk must be IHDR, got ${JSON.stringify(type)}`, "ERR_FORMAT");
    if (type === "IHDR") {
      if (head) fail("the PNG file must have one IHDR chunk, got two", "ERR_FORMAT");
      head = parseHead(content, path);
    } else if (type === "PLTE") palette = content.subarray(0, 768);
    else if (type === "IDAT") data.push(content);
    else if (type === "IEND") break;
    else if (isCritical) fail(`critical chunks must be IHDR, PLTE, IDAT or IEND, got ${type}`, "ERR_FORMAT");
    at += 12 + length;
  }
  if (head!.colorType === 3 && palette.length < 3) fail("a PNG file of palette type must have a PLTE chunk, got none", "ERR_FORMAT");
  if (data.length === 0) fail("the PNG file must have an IDAT chunk, got none", "ERR_FORMAT");
  return { ...head!, palette, data };
}

function parseHead(content: Buffer, path: string): Omit<PngChunks, "palette" | "data"> {
  const refuse = (what: string): never => {
    throw new VoxError(`IHDR must ${what}`, { code: "ERR_HEADER", where: path });
  };
  if (content.length !== 13) refuse(`have 13 bytes, got ${content.length}`);
  const [width, height] = [content.readUInt32BE(0), content.readUInt32BE(4)];
  const [bitDepth, colorType, compression, filter, interlace] = content.subarray(8);
  if (width < 1 || height < 1 || width > 0x7fffffff || height > 0x7fffffff)
    refuse(`give a width and height of 1 to 2^31 - 1, got ${width} x ${height}`);
  if (!DEPTHS[colorType!]?.includes(bitDepth!)) refuse(`give a color type and depth of the standard, got type ${colorType} with ${bitDepth} bits`);
  if (compression !== 0 || filter !== 0 || interlace! > 1) refuse(`give methods 0, 0 and 0 or 1, got ${compression}, ${filter}, ${interlace}`);
  return {
    width,
    height,
    // Checked by the table above.
    bitDepth: bitDepth as PngChunks["bitDepth"],
    colorType: colorType as PngChunks["colorType"],
    isInterlaced: interlace === 1,
  };
}
