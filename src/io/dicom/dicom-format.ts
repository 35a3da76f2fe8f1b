import { VoxError } from "../../core/errors.js";
import type { DecodePlan, DecodeReport, DecodeTarget, StoredDtype } from "../../kernels/decode/reference.js";
import { placedHeader } from "../placed-header.js";
import type { VolumeFormat, VolumeHeader } from "../volume-format.js";
import { type LabelAddress, parseDicomAddress, type SeriesAddress } from "./dicom-address.js";
import type { PixelFormat } from "./dicom-image.js";
import { dicomKind } from "./dicom-kind.js";
import { type DicomSeries, dicomSeries } from "./dicom-series.js";
import { drawSegments, type StoredSegments } from "./draw-segments.js";
import { drawStructures, type StoredStructures } from "./draw-structures.js";
import { FileBytes } from "./file-bytes.js";
import { filesBelow } from "./files-below.js";
import { labelsByName } from "./labels-by-name.js";
import { hasDicomPrefix } from "./parse-dicom.js";
import { readSlices, type SliceFile, type StoredSlices } from "./read-slices.js";
import { readStructures } from "./read-structures.js";
import { readSegmentation } from "./segmentation.js";
import { type SeriesGrid, seriesGrid } from "./series-grid.js";

/** The header of DICOM data: what `read` needs beyond a path, plain data as all of it. */
interface DicomHeader extends VolumeHeader {
  readonly stored:
    | ({ readonly kind: "slices" } & StoredSlices)
    | ({ readonly kind: "structures" } & StoredStructures)
    | ({ readonly kind: "segments" } & StoredSegments);
}

/**
 * DICOM: a folder of one series, or one file of many frames; RTSTRUCT and SEG files as label maps on the grid of a series.
 *
 * @source DICOM PS3.3, PS3.5 and PS3.10
 */
export const dicomFormat: VolumeFormat = {
  name: "dicom",
  extensions: [".dcm", ".dicom", ".ima"],
  matches: (firstBytes) => hasDicomPrefix(FileBytes.ofMemory("", firstBytes)),
  files: async (path) => {
    const address = parseDicomAddress(path);
    return "of" in address ? [address.path, ...filesBelow(address.of.path)] : filesBelow(address.path);
  },
  readHeader: async (path) => {
    const address = parseDicomAddress(path);
    return "of" in address ? labelHeader(path, address) : imageHeader(path, address);
  },
  read,
};

async function imageHeader(path: string, address: SeriesAddress): Promise<VolumeHeader> {
  const series = await dicomSeries(address.path, address.series);
  const grid = seriesGrid(series, address.path);
  const stored = storedSlices(grid, address.padding ?? "minimum");
  const { format } = stored.files[0]!;
  requireChannels(grid);
  const { slope, intercept } = stored.slices[0]!;
  const voxels = grid.shape[0] * grid.shape[1] * grid.shape[2] * format.samples;
  return header(path, grid, {
    channels: format.samples,
    dtype: dtypeOf(stored.files[0]!),
    storedBytes: voxels * (format.bitsAllocated >> 3),
    slope,
    intercept,
    stored: { kind: "slices", ...stored },
  });
}

function storedSlices({ slices }: SeriesGrid, padding: "minimum" | "keep"): StoredSlices {
  const images = [...new Set(slices.map(({ image }) => image))];
  const indices = new Map(images.map((image, n) => [image, n]));
  return {
    files: images.map(({ path, syntax, pixels, format, modality }) => ({ path, syntax, pixels, format, isInverted: isInverted(format, modality) })),
    slices: slices.map(({ image, frame, plane: { slope, intercept } }) => ({ file: indices.get(image)!, frame, slope, intercept })),
    padding,
  };
}

/** CT and PET have physical units, which how they are shown does not change. */
function isInverted({ photometric }: PixelFormat, modality: string): boolean {
  return photometric === "MONOCHROME1" && modality !== "CT" && modality !== "PT";
}

const COLORS: readonly string[] = ["RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"];

function requireChannels({ slices }: SeriesGrid): void {
  for (const { image } of slices) {
    const { photometric, samples, bitsAllocated } = image.format;
    const fail = (sentence: string): VoxError => new VoxError(sentence, { code: "ERR_HEADER", where: image.path });
    if (bitsAllocated === 1) throw fail("pixels of an image must have 8 bits or more, got 1");
    if (samples === 1 && photometric !== "MONOCHROME1" && photometric !== "MONOCHROME2") {
      throw fail(`images of one sample must be MONOCHROME1 or MONOCHROME2, got ${photometric}`);
    }
    if (samples === 3 && !COLORS.includes(photometric)) throw fail(`color must be one of ${COLORS.join(", ")}, got ${photometric}`);
    if (photometric === "YBR_FULL_422" && image.pixels.length !== undefined)
      throw fail("color without compression must be RGB or YBR_FULL, got YBR_FULL_422");
  }
}

async function labelHeader(path: string, { path: file, of, structures, missing = "fail" }: LabelAddress): Promise<VolumeHeader> {
  const series = await dicomSeries(of.path, of.series);
  const grid = seriesGrid(series, of.path);
  const kind = dicomKind(file);
  if (kind !== "structures" && kind !== "segmentation") {
    throw new VoxError(`a label must be an RTSTRUCT or SEG file, got ${kind ?? "no DICOM file"}`, { code: "ERR_FORMAT", where: file });
  }
  const labels = kind === "structures" ? structureLabels(file, series, structures, missing) : segmentLabels(file, series, structures, missing);
  const common = { path: file, labels: [...labels], affine: grid.affine };
  const most = Math.max(0, ...labels.values());
  return header(path, grid, {
    channels: 1,
    dtype: most > 255 ? "uint16" : "uint8",
    storedBytes: grid.shape[0] * grid.shape[1] * grid.shape[2] * (most > 255 ? 2 : 1),
    slope: 1,
    intercept: 0,
    stored: kind === "structures" ? { kind, ...common } : { kind: "segments", ...common },
  });
}

type Labels = ReadonlyMap<number, number>;

function structureLabels(path: string, series: DicomSeries, structures: LabelAddress["structures"], missing: "fail" | "background"): Labels {
  const all = readStructures(path);
  const labels = labelsByName(all, { path, thing: "structure", structures, missing });
  for (const { number, frameOfReference } of all) if (labels.has(number)) requireSameFrame(path, frameOfReference, series);
  return labels;
}

function segmentLabels(path: string, series: DicomSeries, structures: LabelAddress["structures"], missing: "fail" | "background"): Labels {
  const { segments, frameOfReference } = readSegmentation(path);
  requireSameFrame(path, frameOfReference, series);
  return labelsByName(segments, { path, thing: "segment", structures, missing });
}

/** Positions of another frame of reference mean other places. */
function requireSameFrame(path: string, own: string | undefined, { images }: DicomSeries): void {
  const wanted = images[0]?.frameOfReference;
  if (own === undefined || wanted === undefined || own === wanted) return;
  throw new VoxError(`the label must have the frame of reference of its series, ${wanted}, got ${own}`, { code: "ERR_GEOMETRY", where: path });
}

interface Contents extends Pick<DicomHeader, "dtype" | "storedBytes" | "stored"> {
  readonly channels: number;
  readonly slope: number;
  readonly intercept: number;
}

function header(path: string, grid: SeriesGrid, { channels, dtype, storedBytes, slope, intercept, stored }: Contents): DicomHeader {
  const { shape, affine, dimensions } = grid;
  const volume = placedHeader({
    grid: { format: "dicom", path, shape, dimensions, affine, header: null },
    channels,
    dtype,
    storedBytes,
    slope,
    intercept,
    encoding: { compressed: true, voxelOffset: 0 },
  });
  return { ...volume, stored };
}

function dtypeOf({ pixels, format: { bitsAllocated, isSigned } }: SliceFile): StoredDtype {
  if (pixels.element !== "integer") return pixels.element;
  // Integers of 64 bits are refused where they are read.
  return `${isSigned ? "int" : "uint"}${bitsAllocated as 8 | 16 | 32}`;
}

function read(volume: VolumeHeader, target: DecodeTarget, plan: DecodePlan, isStopped?: () => boolean): DecodeReport {
  // Headers of this format are made above.
  const { stored } = volume as DicomHeader;
  switch (stored.kind) {
    case "slices":
      return readSlices(stored, target, plan, isStopped);
    case "structures":
      return drawStructures(stored, target, plan, isStopped);
    case "segments":
      return drawSegments(stored, target, plan, isStopped);
    default:
      return stored satisfies never;
  }
}
