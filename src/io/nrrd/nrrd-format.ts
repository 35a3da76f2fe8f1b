import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { VoxError } from "../../core/errors.js";
import { affineOf } from "../affine-of.js";
import { isGzip } from "../is-gzip.js";
import { readError } from "../read-error.js";
import { readStoredVoxels } from "../read-stored-voxels.js";
import { readTextHeader } from "../read-text-header.js";
import { storedHeader } from "../stored-header.js";
import type { VolumeFormat, VolumeHeader } from "../volume-format.js";
import { type NrrdHeader, parseNrrdHeader } from "./parse-nrrd-header.js";

/**
 * NRRD, with its voxels behind the header (`.nrrd`) or in a file of their own (`.nhdr`), raw or gzip-compressed, in either byte order.
 *
 * @source "Definition of NRRD File Format", teem.sourceforge.net/nrrd/format.html
 */
export const nrrdFormat: VolumeFormat = {
  name: "nrrd",
  extensions: [".nrrd", ".nhdr"],
  isPlain: true,
  matches: (firstBytes) => MAGIC.test(Buffer.from(firstBytes.subarray(0, 9)).toString("latin1")),
  readHeader,
  files: async (path) => {
    const { header } = await readText(path);
    return header.dataFile === undefined ? [path] : [path, dataPathOf(path, header.dataFile)];
  },
  read: readStoredVoxels,
};

const MAGIC = /^NRRD000\d\r?\n/;

async function readText(path: string): Promise<{ readonly header: NrrdHeader; readonly end: number }> {
  const { text, end } = await readTextHeader(path, "NRRD", MAGIC, /\r?\n\r?\n/);
  return { header: parseNrrdHeader(text, path), end };
}

function dataPathOf(path: string, dataFile: string): string {
  return resolve(dirname(path), dataFile);
}

async function readHeader(path: string): Promise<VolumeHeader> {
  const { header, end } = await readText(path);
  const { sizes, spatial, channelAxis, directions, spacings, origin, signs, dtype, littleEndian, encoding, dataFile, lineSkip, byteSkip } = header;
  const dataPath = dataFile === undefined ? undefined : dataPathOf(path, dataFile);
  const start = await behindLines(dataPath ?? path, dataPath === undefined ? end : 0, lineSkip);
  const steps = directions ?? spacings.map((spacing, axis) => [0, 1, 2].map((row) => (row === axis ? spacing : 0)));
  if (encoding === "gzip") await requireGzip(dataPath ?? path, start);
  return storedHeader({
    format: "nrrd",
    path,
    dataPath,
    extents: [sizes[spatial[0]!]!, sizes[spatial[1]!]!, spatial[2] === undefined ? 1 : sizes[spatial[2]]!],
    dimensions: spatial.length === 2 ? 2 : 3,
    channels: channelAxis === undefined ? 1 : sizes[channelAxis]!,
    channelAxis: placeOfChannels(channelAxis, spatial.length),
    dtype,
    littleEndian,
    affine: affineOf(steps, origin, signs),
    affineName: directions ? "space directions" : "spacings",
    ...(encoding === "gzip" ? { offset: byteSkip, stream: { start, wrap: "gzip" } } : { offset: byteSkip < 0 ? -1 : start + byteSkip }),
  });
}

/** The channel axis among four, where a planar image has an empty third axis of space. */
function placeOfChannels(channelAxis: number | undefined, spatialAxes: number): 0 | 1 | 2 | 3 {
  if (channelAxis === undefined || channelAxis >= spatialAxes) return 3;
  // Below the number of axes of space, of which there are three at most.
  return channelAxis as 0 | 1 | 2;
}

const STEP_BYTES = 4096;
const MOST_BYTES = 1024 ** 2;

/** The first byte behind so many lines. */
async function behindLines(path: string, from: number, lines: number): Promise<number> {
  if (lines === 0) return from;
  try {
    const file = await open(path, "r");
    try {
      for (let at = from, left = lines; at - from < MOST_BYTES; at += STEP_BYTES) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(STEP_BYTES), 0, STEP_BYTES, at);
        for (let n = 0; n < bytesRead; n++) if (buffer[n] === 10 && --left === 0) return at + n + 1;
        if (bytesRead === 0) break;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw readError(path, error);
  }
  throw new VoxError(`the file must have ${lines} lines in front of its voxels (line skip), got fewer`, { code: "ERR_TRUNCATED", where: path });
}

async function requireGzip(path: string, start: number): Promise<void> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, start);
      if (isGzip(buffer.subarray(0, bytesRead))) return;
      if (bytesRead < 2) throw new VoxError("the file must have gzip data behind its header, got its end", { code: "ERR_TRUNCATED", where: path });
      throw new VoxError(`encoding gzip must be followed by gzip data, got bytes ${buffer.toString("hex")}`, { code: "ERR_FORMAT", where: path });
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof VoxError ? error : readError(path, error);
  }
}
