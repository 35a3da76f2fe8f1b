import { statSync } from "node:fs";
import { VoxError } from "../core/errors.js";
import { isDicomAddress } from "./dicom/dicom-address.js";
import { dicomFormat } from "./dicom/dicom-format.js";
import { metaimageFormat } from "./metaimage/metaimage-format.js";
import { niftiFormat } from "./nifti/nifti-format.js";
import { nrrdFormat } from "./nrrd/nrrd-format.js";
import { planarFormat } from "./planar/planar-format.js";
import { readPictures } from "./planar/read-pictures.js";
import type { VolumeFormat } from "./volume-format.js";

/** The formats that volumes are read from, by extension. */
export const formats: readonly VolumeFormat[] = [niftiFormat, nrrdFormat, metaimageFormat, dicomFormat, ...readPictures.map(planarFormat)];

/**
 * The format of a file, by its extension; a folder holds a DICOM series.
 *
 * @throws `ERR_FORMAT` when no format has the file's extension
 * @example
 * formatOf("case_00000/imaging.nii.gz").name // "nifti"
 */
export function formatOf(path: string): VolumeFormat {
  if (isDicomAddress(path)) return dicomFormat;
  const lower = path.toLowerCase();
  const format = formats.find(({ extensions }) => extensions.some((extension) => lower.endsWith(extension)));
  if (format) return format;
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return dicomFormat;
  throw new VoxError(`the file name must end in ${formats.flatMap(({ extensions }) => extensions).join(", ")}`, { code: "ERR_FORMAT", where: path });
}

export function formatNamed(name: string): VolumeFormat {
  const format = formats.find((candidate) => candidate.name === name);
  if (format) return format;
  throw new VoxError(`the format must be one of ${formats.map((candidate) => candidate.name).join(", ")}, got ${name}`, {
    code: "ERR_FORMAT",
    where: "formats",
  });
}
