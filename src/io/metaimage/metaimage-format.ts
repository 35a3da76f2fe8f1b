import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { affineOf } from "../affine-of.js";
import { isGzip } from "../is-gzip.js";
import { readError } from "../read-error.js";
import { readStoredVoxels } from "../read-stored-voxels.js";
import { readTextHeader } from "../read-text-header.js";
import { storedHeader } from "../stored-header.js";
import type { VolumeFormat, VolumeHeader } from "../volume-format.js";
import { type MetaimageHeader, parseMetaimageHeader } from "./parse-metaimage-header.js";

/**
 * MetaImage, with its voxels behind the header (`.mha`) or in a file of their own (`.mhd`), plain or compressed, in either byte order.
 *
 * @source ITK's MetaIO (metaImage.cxx) and itkMetaImageIO: coordinates are LPS+, the rows of TransformMatrix are the directions of the axes
 */
export const metaimageFormat: VolumeFormat = {
  name: "metaimage",
  extensions: [".mha", ".mhd"],
  isPlain: true,
  matches: (firstBytes) => FIRST.test(Buffer.from(firstBytes.subarray(0, 64)).toString("latin1")),
  readHeader,
  files: async (path) => {
    const { header } = await readText(path);
    return header.dataFile === undefined ? [path] : [path, resolve(dirname(path), header.dataFile)];
  },
  read: readStoredVoxels,
};

const FIRST = /^\s*(ObjectType|NDims|Comment|ObjectSubType)\s*=/;

async function readText(path: string): Promise<{ readonly header: MetaimageHeader; readonly end: number }> {
  const { text, end } = await readTextHeader(path, "MetaImage", FIRST, /(^|\n)[ \t]*ElementDataFile[ \t]*=[^\n]*\n/i);
  return { header: parseMetaimageHeader(text, path), end };
}

async function readHeader(path: string): Promise<VolumeHeader> {
  const { header, end } = await readText(path);
  const { dimSize, channels, spacing, directions, offset, dtype, littleEndian, isCompressed, dataFile, headerSize } = header;
  const dataPath = dataFile === undefined ? undefined : resolve(dirname(path), dataFile);
  const start = (dataPath === undefined ? end : 0) + Math.max(0, headerSize);
  const dimensions = dimSize.length === 2 ? 2 : 3;
  return storedHeader({
    format: "metaimage",
    path,
    dataPath,
    extents: [dimSize[0]!, dimSize[1]!, dimensions === 2 ? 1 : dimSize[2]!],
    dimensions,
    channels: dimSize[3] ?? channels,
    channelAxis: channels > 1 ? 0 : 3,
    dtype,
    littleEndian,
    affine: affineOf(
      directions.slice(0, dimensions).map((direction, axis) => direction.slice(0, 3).map((component) => component * spacing[axis]!)),
      offset.slice(0, dimensions),
    ),
    affineName: "TransformMatrix",
    ...(isCompressed ? { offset: 0, stream: { start, wrap: await wrapOf(dataPath ?? path, start) } } : { offset: headerSize < 0 ? -1 : start }),
  });
}

/** MetaIO writes zlib streams, and reads gzip as well. */
async function wrapOf(path: string, start: number): Promise<"gzip" | "zlib"> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, start);
      return isGzip(buffer.subarray(0, bytesRead)) ? "gzip" : "zlib";
    } finally {
      await file.close();
    }
  } catch (error) {
    throw readError(path, error);
  }
}
