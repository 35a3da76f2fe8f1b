import { VoxError } from "../../core/errors.js";
import type { DicomDataset } from "./dicom-dataset.js";
import { type DicomPlane, type PixelFormat, pixelFormat, planeOf } from "./dicom-image.js";
import { FileBytes } from "./file-bytes.js";
import type { Named } from "./labels-by-name.js";
import { parseDicom, type StoredPixels, tagsOf } from "./parse-dicom.js";

/** What a DICOM SEG file holds: its segments, and where each frame lies. */
export interface Segmentation {
  readonly type: "BINARY" | "FRACTIONAL" | "LABELMAP";
  /** The value that stands for 1 in fractional frames. */
  readonly most: number;
  readonly segments: readonly Named[];
  readonly frames: readonly { readonly plane: DicomPlane; readonly segment: number }[];
  readonly frameOfReference?: string;
  readonly syntax: string;
  readonly format: PixelFormat;
  readonly pixels: StoredPixels;
}

const SEGMENTATION_TAGS = tagsOf([
  "SpecificCharacterSet",
  "FrameOfReferenceUID",
  "ImagePositionPatient",
  "ImageOrientationPatient",
  "PixelSpacing",
  "PlanePositionSequence",
  "PlaneOrientationSequence",
  "PixelMeasuresSequence",
  "SharedFunctionalGroupsSequence",
  "PerFrameFunctionalGroupsSequence",
  "SamplesPerPixel",
  "PhotometricInterpretation",
  "NumberOfFrames",
  "Rows",
  "Columns",
  "BitsAllocated",
  "BitsStored",
  "HighBit",
  "PixelRepresentation",
  "SegmentationType",
  "MaximumFractionalValue",
  "SegmentSequence",
  "SegmentNumber",
  "SegmentLabel",
  "SegmentIdentificationSequence",
  "ReferencedSegmentNumber",
]);

/**
 * The header of a DICOM SEG file.
 *
 * @units mm, LPS+
 * @throws `ERR_READ`, `ERR_FORMAT`, `ERR_TRUNCATED`; `ERR_HEADER` for attributes that are missing or contradict each other
 * @source DICOM PS3.3, A.51 and C.8.20
 */
export function readSegmentation(path: string): Segmentation {
  return FileBytes.use(path, (file) => {
    const { dataset, syntax, pixels, bytes } = parseDicom(file, { wanted: SEGMENTATION_TAGS });
    const fail = (sentence: string): VoxError => new VoxError(sentence, { code: "ERR_HEADER", where: path });
    const type = dataset.text("SegmentationType");
    if (type !== "BINARY" && type !== "FRACTIONAL" && type !== "LABELMAP") {
      throw fail(`SegmentationType must be BINARY, FRACTIONAL or LABELMAP, got ${type ?? "none"}`);
    }
    if (!pixels) throw fail("a segmentation must have pixel data, got none");
    const format = pixelFormat(dataset, path);
    const bits = type === "BINARY" ? [1] : type === "FRACTIONAL" ? [8] : [8, 16];
    if (!bits.includes(format.bitsAllocated) || format.samples !== 1) {
      throw fail(`a ${type} segmentation must have one sample of ${bits.join(" or ")} bits, got ${format.samples} of ${format.bitsAllocated}`);
    }
    const needed = Math.ceil((format.rows * format.columns * format.frames * format.bitsAllocated) / 8);
    if (pixels.length === undefined ? type === "BINARY" : pixels.length < needed) {
      throw fail(`the pixel data must be ${needed} bytes as they are, got ${pixels.length ?? "compressed ones"}`);
    }
    if (pixels.length !== undefined && pixels.offset + needed > bytes.size) {
      throw new VoxError(`the file must have ${pixels.offset + needed} bytes for its ${format.frames} frames, got ${bytes.size}`, {
        code: "ERR_TRUNCATED",
        where: path,
      });
    }
    const frameOfReference = dataset.text("FrameOfReferenceUID");
    return {
      type,
      most: dataset.number("MaximumFractionalValue") ?? 255,
      segments: dataset.items("SegmentSequence").map((segment) => ({
        number: segment.number("SegmentNumber") ?? 0,
        name: segment.text("SegmentLabel") ?? "",
      })),
      frames: framesOf(dataset, format.frames, type, path),
      ...(frameOfReference !== undefined && { frameOfReference }),
      syntax,
      format,
      pixels,
    };
  });
}

function framesOf(dataset: DicomDataset, count: number, type: Segmentation["type"], path: string): Segmentation["frames"] {
  const perFrame = dataset.items("PerFrameFunctionalGroupsSequence");
  const shared = dataset.items("SharedFunctionalGroupsSequence").slice(0, 1);
  const fail = (sentence: string): VoxError => new VoxError(sentence, { code: "ERR_HEADER", where: path });
  if (perFrame.length !== count) throw fail(`there must be functional groups of each of the ${count} frames, got ${perFrame.length}`);
  return perFrame.map((frame, n) => {
    const plane = planeOf([frame, ...shared, dataset], path);
    if (!plane.position || !plane.orientation || !plane.spacing)
      throw fail(`frame ${n + 1} must have position, orientation and pixel spacing, got not all of them`);
    const [identification] = [frame, ...shared].flatMap((groups) => groups.items("SegmentIdentificationSequence"));
    const segment = identification?.number("ReferencedSegmentNumber") ?? 0;
    if (segment === 0 && type !== "LABELMAP") throw fail(`frame ${n + 1} must say which segment it shows, got none`);
    return { plane, segment };
  });
}
