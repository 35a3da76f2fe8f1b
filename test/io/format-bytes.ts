import { deflateSync, gzipSync } from "node:zlib";
import { crc32 } from "../../src/kernels/crc32/crc32.js";

/** Writers of small valid files, which share no code with the readers. */

export function nrrdBytes(fields: Readonly<Record<string, string>>, voxels: Uint8Array, encoding: "raw" | "gzip" = "raw"): Buffer {
  const lines = Object.entries({ ...fields, encoding }).map(([name, value]) => `${name}: ${value}\n`);
  return Buffer.concat([Buffer.from(`NRRD0004\n# a comment\n${lines.join("")}key:=value\n\n`), encoding === "gzip" ? gzipSync(voxels) : voxels]);
}

export function metaBytes(fields: Readonly<Record<string, string>>, voxels: Uint8Array, isCompressed = false): Buffer {
  const all = { ObjectType: "Image", BinaryData: "True", CompressedData: isCompressed ? "True" : "False", ...fields, ElementDataFile: "LOCAL" };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}\n`);
  return Buffer.concat([Buffer.from(lines.join("")), isCompressed ? deflateSync(voxels) : voxels]);
}

export interface PngContent {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly colorType: number;
  /** Whole rows, packed as the file has them, without the numbers of filters. */
  readonly rows: Uint8Array;
  readonly palette?: Uint8Array;
  /** Width and height that the header says instead. */
  readonly announced?: readonly [width: number, height: number];
}

export function pngBytes({ width, height, bitDepth, colorType, rows, palette, announced = [width, height] }: PngContent): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(announced[0], 0);
  head.writeUInt32BE(announced[1], 4);
  head.set([bitDepth, colorType], 8);
  const perRow = rows.length / height;
  // All filters by turns.
  const bpp = Math.max(1, Math.ceil((bitDepth * { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colorType as 0]!) / 8));
  const filtered = Buffer.alloc(height * (perRow + 1));
  for (let y = 0; y < height; y++) {
    const filter = y % 5;
    filtered[y * (perRow + 1)] = filter;
    for (let n = 0; n < perRow; n++) {
      const at = (row: number, column: number): number => (row < 0 || column < 0 ? 0 : rows[row * perRow + column]!);
      const [left, up, corner] = [at(y, n - bpp), at(y - 1, n), n - bpp < 0 ? 0 : at(y - 1, n - bpp)];
      const estimate = left + up - corner;
      const nearest = [left, up, corner].reduce((best, one) => (Math.abs(estimate - one) < Math.abs(estimate - best) ? one : best));
      const predicted = [0, left, up, Math.floor((left + up) / 2), nearest][filter]!;
      filtered[y * (perRow + 1) + 1 + n] = at(y, n) - predicted;
    }
  }
  const chunk = (type: string, content: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type), content]);
    const frame = Buffer.alloc(body.length + 8);
    frame.writeUInt32BE(content.length, 0);
    body.copy(frame, 4);
    frame.writeUInt32BE(crc32(body), body.length + 4);
    return frame;
  };
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", head),
    ...(palette ? [chunk("PLTE", palette)] : []),
    chunk("IDAT", deflateSync(filtered)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

export interface TiffContent {
  readonly width: number;
  readonly height: number;
  /** Little-endian samples of each page, pixel by pixel. */
  readonly pages: readonly Uint8Array[];
  readonly bits: number;
  /** 1 unsigned, 2 signed, 3 float. */
  readonly format?: number;
  readonly samples?: number;
  readonly deflate?: boolean;
  readonly description?: string;
  /** Pixels per centimeter. */
  readonly resolution?: number;
}

/** One strip a page, little-endian. */
export function tiffBytes({ width, height, pages, bits, format = 1, samples = 1, deflate = false, description, resolution }: TiffContent): Buffer {
  const parts: Buffer[] = [];
  let end = 8;
  const put = (bytes: Uint8Array): number => {
    const at = end;
    parts.push(Buffer.from(bytes), Buffer.alloc(bytes.length % 2));
    end += bytes.length + (bytes.length % 2);
    return at;
  };
  const head = Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0]);
  const links: { readonly part: Buffer; readonly at: number }[] = [{ part: head, at: 4 }];
  for (const page of pages) {
    const stored = deflate ? deflateSync(page) : page;
    const offset = put(stored);
    const text = description === undefined ? undefined : Buffer.from(`${description}\0`);
    const ratio = Buffer.alloc(8);
    ratio.writeUInt32LE(Math.round((resolution ?? 1) * 1000), 0);
    ratio.writeUInt32LE(1000, 4);
    const entries: [tag: number, type: number, count: number, value: number][] = [
      [256, 4, 1, width],
      [257, 4, 1, height],
      [258, 3, 1, bits],
      [259, 3, 1, deflate ? 8 : 1],
      [262, 3, 1, samples === 3 ? 2 : 1],
      ...(text ? [[270, 2, text.length, put(text)] as [number, number, number, number]] : []),
      [273, 4, 1, offset],
      [277, 3, 1, samples],
      [278, 4, 1, height],
      [279, 4, 1, stored.length],
      ...(resolution === undefined
        ? []
        : ([
            [282, 5, 1, put(ratio)],
            [283, 5, 1, put(ratio)],
            [296, 3, 1, 3],
          ] as [number, number, number, number][])),
      [339, 3, 1, format],
    ];
    const table = Buffer.alloc(2 + 12 * entries.length + 4);
    table.writeUInt16LE(entries.length, 0);
    for (const [n, [tag, type, count, value]] of entries.entries()) {
      table.writeUInt16LE(tag, 2 + 12 * n);
      table.writeUInt16LE(type, 4 + 12 * n);
      table.writeUInt32LE(count, 6 + 12 * n);
      table.writeUInt32LE(value, 10 + 12 * n);
    }
    const { part, at } = links.at(-1)!;
    part.writeUInt32LE(end, at);
    links.push({ part: table, at: 2 + 12 * entries.length });
    parts.push(table);
    end += table.length;
  }
  return Buffer.concat([head, ...parts]);
}
