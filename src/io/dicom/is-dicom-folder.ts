import { csvLayout } from "../layouts/csv-layout.js";
import { msdLayout } from "../layouts/msd-layout.js";
import { nnunetLayout } from "../layouts/nnunet-layout.js";
import { holdsDicom } from "./files-below.js";

/** Whether a path is a DICOM file, or a folder of DICOM cases and not a data set in a layout that says so by its names; a KiTS folder has no DICOM files. */
export function isDicomFolder(root: string): boolean {
  return ![csvLayout, nnunetLayout, msdLayout].some((layout) => layout.matches(root)) && holdsDicom(root);
}
