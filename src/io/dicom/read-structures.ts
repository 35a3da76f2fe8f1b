import { VoxError } from "../../core/errors.js";
import type { DicomDataset } from "./dicom-dataset.js";
import { FileBytes } from "./file-bytes.js";
import { parseDicom, tagsOf } from "./parse-dicom.js";

/** A structure (region of interest) of an RTSTRUCT file. */
export interface Structure {
  readonly number: number;
  readonly name: string;
  readonly frameOfReference?: string;
}

/** Contours of one structure, one after the other, with the points of each as x, y, z in LPS+ mm. */
export interface StructureContours {
  readonly name: string;
  readonly label: number;
  readonly contours: readonly (readonly number[])[];
}

const NAME_TAGS = tagsOf(["SpecificCharacterSet", "StructureSetROISequence", "ROINumber", "ROIName", "ReferencedFrameOfReferenceUID"]);
const CONTOUR_TAGS = new Set([
  ...NAME_TAGS,
  ...tagsOf(["ROIContourSequence", "ReferencedROINumber", "ContourSequence", "ContourGeometricType", "ContourData"]),
]);

/**
 * The structures that an RTSTRUCT file names, without their contours.
 *
 * @throws `ERR_READ`, `ERR_FORMAT`, `ERR_TRUNCATED`, `ERR_HEADER`
 * @source DICOM PS3.3, C.8.8.5
 */
export function readStructures(path: string): readonly Structure[] {
  return FileBytes.use(path, (file) => structuresOf(parseDicom(file, { wanted: NAME_TAGS }).dataset, path));
}

/**
 * The contours of named structures, by label. A structure without contours, as planning systems keep them, is empty.
 *
 * @units mm, LPS+
 * @throws as `readStructures`; `ERR_HEADER` for contours whose points are not triples
 * @source DICOM PS3.3, C.8.8.6
 */
export function readContours(path: string, labels: ReadonlyMap<number, number>): readonly StructureContours[] {
  return FileBytes.use(path, (file) => {
    const { dataset } = parseDicom(file, { wanted: CONTOUR_TAGS });
    const names = new Map(structuresOf(dataset, path).map(({ number, name }) => [number, name]));
    return dataset.items("ROIContourSequence").flatMap((roi) => {
      const number = roi.number("ReferencedROINumber");
      const label = number === undefined ? undefined : labels.get(number);
      if (label === undefined) return [];
      const name = names.get(number!) ?? String(number);
      // Points and open lines have no inside.
      const closed = roi.items("ContourSequence").filter((contour) => /^CLOSED_?PLANAR/.test(contour.text("ContourGeometricType") ?? ""));
      const contours = closed.map((contour) => {
        const points = contour.numbers("ContourData");
        if (points.length % 3 === 0) return points;
        throw new VoxError(`the points of a contour of ${name} must be triples, got ${points.length} numbers`, { code: "ERR_HEADER", where: path });
      });
      return [{ name, label, contours }];
    });
  });
}

function structuresOf(dataset: DicomDataset, path: string): Structure[] {
  return dataset.items("StructureSetROISequence").map((roi) => {
    const number = roi.number("ROINumber");
    if (number === undefined) throw new VoxError("each structure must have an ROINumber, got none", { code: "ERR_HEADER", where: path });
    const frameOfReference = roi.text("ReferencedFrameOfReferenceUID");
    return { number, name: roi.text("ROIName") ?? "", ...(frameOfReference !== undefined && { frameOfReference }) };
  });
}
