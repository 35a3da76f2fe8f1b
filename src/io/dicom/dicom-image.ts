import { VoxError } from "../../core/errors.js";
import type { DicomDataset } from "./dicom-dataset.js";
import { FileBytes } from "./file-bytes.js";
import { parseDicom, type StoredPixels, tagsOf } from "./parse-dicom.js";

/** One plane of an image file: where it lies and what its values mean. */
export interface DicomPlane {
  /** Center of the first pixel in LPS+ mm. */
  readonly position?: Vector3;
  /** Direction of a row, then of a column. */
  readonly orientation?: readonly number[];
  /** Millimeters between rows, and between columns. */
  readonly spacing?: readonly [number, number];
  readonly thickness?: number;
  readonly slope: number;
  readonly intercept: number;
}

export type Vector3 = readonly [number, number, number];

/** How pixels are stored; plain data, for worker threads. */
export interface PixelFormat {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly samples: number;
  readonly photometric: string;
  /** Whether each color has a plane of its own. */
  readonly isPlanar: boolean;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly isSigned: boolean;
  /** Stored values that stand for no measurement, from the first to the second. */
  readonly padding?: readonly [number, number];
}

/** What the header of an image file says, as far as it matters for voxels and their place. */
export interface DicomImage {
  readonly path: string;
  readonly fileBytes: number;
  readonly modality: string;
  readonly series: string;
  readonly description: string;
  readonly frameOfReference?: string;
  readonly isLocalizer: boolean;
  readonly syntax: string;
  readonly pixels: StoredPixels;
  readonly format: PixelFormat;
  readonly planes: readonly DicomPlane[];
}

const IMAGE_TAGS = tagsOf([
  "SpecificCharacterSet",
  "ImageType",
  "SOPClassUID",
  "Modality",
  "SeriesDescription",
  "SliceThickness",
  "SpacingBetweenSlices",
  "ImagerPixelSpacing",
  "SeriesInstanceUID",
  "ImagePositionPatient",
  "ImageOrientationPatient",
  "FrameOfReferenceUID",
  "PlanePositionSequence",
  "PlaneOrientationSequence",
  "SamplesPerPixel",
  "PhotometricInterpretation",
  "PlanarConfiguration",
  "NumberOfFrames",
  "Rows",
  "Columns",
  "PixelSpacing",
  "BitsAllocated",
  "BitsStored",
  "HighBit",
  "PixelRepresentation",
  "PixelPaddingValue",
  "PixelPaddingRangeLimit",
  "RescaleIntercept",
  "RescaleSlope",
  "ModalityLUTSequence",
  "PixelMeasuresSequence",
  "PixelValueTransformationSequence",
  "SharedFunctionalGroupsSequence",
  "PerFrameFunctionalGroupsSequence",
]);

/**
 * The header of an image file, of one slice or many frames; undefined for an object of a private class with neither rows nor pixels.
 *
 * @units mm, LPS+
 * @throws `ERR_READ`, `ERR_FORMAT`, `ERR_TRUNCATED`; `ERR_HEADER` for attributes that are missing or contradict each other
 */
export function readDicomImage(path: string): DicomImage | undefined {
  return FileBytes.use(path, (file) => {
    const { dataset, syntax, pixels, bytes } = parseDicom(file, { wanted: IMAGE_TAGS });
    const fail = (sentence: string): VoxError => new VoxError(sentence, { code: "ERR_HEADER", where: path });
    // What a vendor keeps beside its images; of all other objects it is a file that was cut.
    if (!pixels && !dataset.has("Rows") && !/^(1\.2\.840\.10008\.|$)/.test(dataset.text("SOPClassUID") ?? "")) return undefined;
    if (!pixels) throw fail("an image must have pixel data, got none");
    if (dataset.has("ModalityLUTSequence") && !dataset.has("RescaleSlope")) {
      throw fail("stored values must be rescaled by slope and intercept, got a modality lookup table");
    }
    const format = pixelFormat(dataset, path);
    const series = dataset.text("SeriesInstanceUID");
    if (series === undefined) throw fail("an image must have a SeriesInstanceUID, got none");
    const frameOfReference = dataset.text("FrameOfReferenceUID");
    requirePixels(path, format, pixels, bytes.size);
    return {
      path,
      fileBytes: file.size,
      modality: dataset.text("Modality") ?? "",
      series,
      description: dataset.text("SeriesDescription") ?? "",
      ...(frameOfReference !== undefined && { frameOfReference }),
      isLocalizer: dataset.texts("ImageType").includes("LOCALIZER"),
      syntax,
      pixels,
      format,
      planes: planesOf(dataset, format.frames, path),
    };
  });
}

export function pixelFormat(dataset: DicomDataset, path: string): PixelFormat {
  const whole = (name: Parameters<DicomDataset["number"]>[0], otherwise?: number): number => {
    const value = dataset.number(name) ?? otherwise;
    if (value !== undefined && Number.isInteger(value) && value >= 0) return value;
    throw new VoxError(`${name} must be an integer of at least 0, got ${value ?? "none"}`, { code: "ERR_HEADER", where: path });
  };
  const rows = whole("Rows");
  const columns = whole("Columns");
  const frames = whole("NumberOfFrames", 1);
  const samples = whole("SamplesPerPixel", 1);
  const bitsAllocated = whole("BitsAllocated");
  const bitsStored = whole("BitsStored", bitsAllocated);
  const highBit = whole("HighBit", bitsStored - 1);
  const isSigned = whole("PixelRepresentation", 0) === 1;
  const photometric = dataset.text("PhotometricInterpretation") ?? "MONOCHROME2";
  const fail = (what: string, rule: string, got: string | number): VoxError =>
    new VoxError(`${what} must be ${rule}, got ${got}`, { code: "ERR_HEADER", where: path });
  if (rows < 1 || columns < 1 || frames < 1) throw fail("Rows, Columns and NumberOfFrames", "at least 1", `${rows}, ${columns}, ${frames}`);
  if (samples !== 1 && samples !== 3) throw fail("SamplesPerPixel", "1, or 3 for color", samples);
  if (![1, 8, 16, 32, 64].includes(bitsAllocated)) throw fail("BitsAllocated", "1, 8, 16, 32 or 64", bitsAllocated);
  if (bitsStored < 1 || bitsStored > bitsAllocated || highBit >= bitsAllocated || highBit < bitsStored - 1) {
    throw fail("BitsStored and HighBit", `within the ${bitsAllocated} bits allocated`, `${bitsStored} and ${highBit}`);
  }
  const signed = (value: number): number => (isSigned && value >= 0x8000 ? value - 0x10000 : value);
  const padding = dataset.numbers("PixelPaddingValue").map(signed);
  const limit = dataset.numbers("PixelPaddingRangeLimit").map(signed);
  return {
    rows,
    columns,
    frames,
    samples,
    photometric,
    isPlanar: whole("PlanarConfiguration", 0) === 1,
    bitsAllocated,
    bitsStored,
    highBit,
    isSigned,
    ...(padding.length > 0 && { padding: [Math.min(padding[0]!, limit[0] ?? padding[0]!), Math.max(padding[0]!, limit[0] ?? padding[0]!)] as const }),
  };
}

/** No codec makes less than this of an empty megabyte; a header must not make anyone allocate what its file cannot hold. */
const MOST_COMPRESSED = 1e5;

function requirePixels(path: string, format: PixelFormat, { offset, length, element }: StoredPixels, size: number): void {
  const { rows, columns, frames, samples, bitsAllocated } = format;
  const needed = Math.ceil((rows * columns * frames * samples * bitsAllocated) / 8);
  const shape = `${columns} x ${rows} pixels, ${frames} frames of ${samples} x ${bitsAllocated} bits`;
  if (element !== "integer" && bitsAllocated !== (element === "float32" ? 32 : 64)) {
    throw new VoxError(`BitsAllocated must be that of ${element} pixels, got ${bitsAllocated}`, { code: "ERR_HEADER", where: path });
  }
  if (length === undefined) {
    if (needed <= 2 ** 20 + (size - offset) * MOST_COMPRESSED) return;
    throw new VoxError(`the compressed pixels must be enough for ${shape}, got ${size - offset} bytes`, { code: "ERR_TRUNCATED", where: path });
  }
  if (length < needed)
    throw new VoxError(`the pixel data must have ${needed} bytes for ${shape}, got ${length}`, { code: "ERR_HEADER", where: path });
  if (offset + needed > size) {
    throw new VoxError(`the file must have ${offset + needed} bytes for its header and ${shape}, got ${size}`, {
      code: "ERR_TRUNCATED",
      where: path,
    });
  }
}

/** From functional groups where the file has them, else from the attributes of the whole file. */
function planesOf(dataset: DicomDataset, frames: number, path: string): DicomPlane[] {
  const perFrame = dataset.items("PerFrameFunctionalGroupsSequence");
  const shared = dataset.items("SharedFunctionalGroupsSequence")[0];
  if (perFrame.length === 0) {
    const plane = planeOf([dataset], path);
    return frames === 1 ? [plane] : Array.from({ length: frames }, () => ({ slope: plane.slope, intercept: plane.intercept }));
  }
  if (perFrame.length !== frames) {
    throw new VoxError(`there must be functional groups of each of the ${frames} frames, got ${perFrame.length}`, {
      code: "ERR_HEADER",
      where: path,
    });
  }
  return perFrame.map((frame) => planeOf([frame, ...(shared ? [shared] : [])], path));
}

const GROUPS = ["PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence", "PixelValueTransformationSequence"] as const;

/** The first of the datasets that has an attribute, itself or in its functional group, gives it. */
export function planeOf(datasets: readonly DicomDataset[], path: string): DicomPlane {
  const places = datasets.flatMap((dataset) => [dataset, ...GROUPS.flatMap((group) => dataset.items(group).slice(0, 1))]);
  const numbers = (name: Parameters<DicomDataset["numbers"]>[0], count: number): readonly number[] | undefined => {
    const found = places.find((place) => place.has(name))?.numbers(name);
    if (found === undefined || found.length === 0) return undefined;
    if (found.length >= count) return found.slice(0, count);
    throw new VoxError(`${name} must be ${count} numbers, got ${found.join("\\")}`, { code: "ERR_HEADER", where: path });
  };
  const position = numbers("ImagePositionPatient", 3) as Vector3 | undefined;
  const orientation = numbers("ImageOrientationPatient", 6);
  const spacing = (numbers("PixelSpacing", 2) ?? numbers("ImagerPixelSpacing", 2)) as readonly [number, number] | undefined;
  const thickness = numbers("SpacingBetweenSlices", 1)?.[0] ?? numbers("SliceThickness", 1)?.[0];
  if (spacing && !(spacing[0] > 0 && spacing[1] > 0)) {
    throw new VoxError(`PixelSpacing must be two numbers above 0, got ${spacing.join(" and ")}`, { code: "ERR_HEADER", where: path });
  }
  if (orientation) requireOrientation(orientation, path);
  return {
    ...(position && { position }),
    ...(orientation && { orientation }),
    ...(spacing && { spacing }),
    ...(thickness !== undefined && thickness !== 0 && { thickness: Math.abs(thickness) }),
    slope: numbers("RescaleSlope", 1)?.[0] ?? 1,
    intercept: numbers("RescaleIntercept", 1)?.[0] ?? 0,
  };
}

/** Directions are written with few decimals; more than that is no rounding. */
const DIRECTION_TOLERANCE = 1e-2;

function requireOrientation(o: readonly number[], path: string): void {
  const row = Math.hypot(o[0]!, o[1]!, o[2]!);
  const column = Math.hypot(o[3]!, o[4]!, o[5]!);
  const product = o[0]! * o[3]! + o[1]! * o[4]! + o[2]! * o[5]!;
  if (Math.abs(row - 1) < DIRECTION_TOLERANCE && Math.abs(column - 1) < DIRECTION_TOLERANCE && Math.abs(product) < DIRECTION_TOLERANCE) return;
  throw new VoxError(`ImageOrientationPatient must be two directions of length 1 at a right angle, got ${o.join("\\")}`, {
    code: "ERR_HEADER",
    where: path,
  });
}
