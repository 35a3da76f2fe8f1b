import { DICOM_TAGS } from "./dicom-tags.js";
import { FileBytes } from "./file-bytes.js";
import { hasDicomPrefix, parseDicom, tagsOf } from "./parse-dicom.js";

export type DicomKind = "image" | "structures" | "segmentation" | "other";

const SOP_CLASS = tagsOf(["SOPClassUID"]);
const STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3";
/** Segmentation, surface segmentation excluded; label map segmentation. */
const SEGMENTATIONS = ["1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"];
/**
 * Directories, and what is no image of the patient though it may have pixels: dose, plans, registrations, surfaces, spectra, presentations, reports, documents,
 * waveforms, raw data.
 */
const OTHERS = [
  /^1\.2\.840\.10008\.1\.3\.10$/,
  /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.481\.(?!1$)/,
  /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.6[678](\.|$)/,
  /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.4\.2$/,
  /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.11\./,
  /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.88\./,
  /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.104\./,
  /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.9\./,
];

/** File names that promise DICOM, so that a damaged file is not overlooked as something else. */
export function isDicomName(path: string): boolean {
  return /\.(dcm|dicom|ima)$/i.test(path);
}

/**
 * What a file is: undefined for one that is no DICOM file. Reads the first attributes only.
 *
 * @throws `ERR_READ`; `ERR_FORMAT`, `ERR_TRUNCATED` for a DICOM file that cannot be read
 */
export function dicomKind(path: string): DicomKind | undefined {
  return FileBytes.use(path, (file) => {
    if (!isDicomName(path) && !hasDicomPrefix(file)) return undefined;
    const { dataset } = parseDicom(file, { wanted: SOP_CLASS, until: DICOM_TAGS.SOPClassUID[0] + 1 });
    const sopClass = dataset.text("SOPClassUID") ?? "";
    if (sopClass === STRUCTURES) return "structures";
    if (SEGMENTATIONS.includes(sopClass)) return "segmentation";
    return OTHERS.some((pattern) => pattern.test(sopClass)) ? "other" : "image";
  });
}
