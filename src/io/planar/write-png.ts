import { deflateSync } from "node:zlib";
import { VoxError } from "../../core/errors.js";
import type { SourceGrid } from "../../core/geometry.js";
import type { Shape4 } from "../../core/shape.js";
import { crc32 } from "../../kernels/crc32/crc32.js";
import { sourceLayout } from "../source-layout.js";
import type { VolumeData, WriteOptions } from "../volume-format.js";
import { writeAtomically } from "../write-atomically.js";

const TOP = 65535;

/**
 * Writes a planar label map as gray PNG whose values are the classes: of 8 bits, or 16 above 255. It looks black; programs for labels show it in colors.
 *
 * @throws `ERR_FORMAT` for anything else than a planar label map, `ERR_LABEL` above 65535, `ERR_WRITE`
 * @source PNG (ISO/IEC 15948, W3C)
 */
export async function writePng(path: string, data: VolumeData, _shape: Shape4, grid: SourceGrid, { kind }: WriteOptions): Promise<void> {
  const refuse = (rule: string, value: string): never => {
    throw new VoxError(`a PNG file must hold ${rule}, got ${value}; write .nii.gz`, { code: "ERR_FORMAT", where: path });
  };
  if (kind !== "label") refuse("a label map", kind);
  const { shape, offset, strides } = sourceLayout(grid, 1);
  const [width, height, depth] = shape;
  if (depth !== 1) refuse("one slice", `${depth}`);
  let top = 0;
  for (let n = 0; n < data.length; n++) if (data[n]! > top) top = data[n]!;
  if (top > TOP) throw new VoxError(`labels in a PNG file must be at most ${TOP}, got ${top}`, { code: "ERR_LABEL", where: path });
  const bytes = top > 255 ? 2 : 1;
  const rows = Buffer.alloc(height * (1 + width * bytes));
  for (let y = 0, to = 0; y < height; y++) {
    // Each row begins with the number of its filter: none.
    to++;
    for (let x = 0, at = offset + y * strides[1]; x < width; x++, at += strides[0]) {
      if (bytes === 2) rows[to++] = data[at]! >> 8;
      rows[to++] = data[at]! & 255;
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8 * bytes;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  await writeAtomically(path, [signature, chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type: string, content: Buffer): Buffer {
  const bytes = Buffer.alloc(content.length + 12);
  bytes.writeUInt32BE(content.length, 0);
  bytes.write(type, 4, "latin1");
  content.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + content.length)), 8 + content.length);
  return bytes;
}
