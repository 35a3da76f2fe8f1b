import { existsSync, statSync } from "node:fs";
import type { CaseRef } from "../core/case.js";
import { isVoxError } from "../core/errors.js";
import { dicomCases } from "../io/dicom/dicom-cases.js";
import { isDicomFolder } from "../io/dicom/is-dicom-folder.js";
import { imageCases } from "../io/image-cases.js";
import { volumeFiles } from "../io/layouts/volume-files.js";

/**
 * The cases of a data set in any layout that `imageCases` knows, KiTS to CSV manifest, or a folder of DICOM cases, whose structures are called as the classes;
 * none where a path is no data set, such as a plain folder of files. A folder that has volume or picture files right in it is such a plain one, whatever else lies there: a
 * `cases.csv` beside them counts only when the path names it.
 *
 * @throws `ERR_READ` when the path does not exist, `ERR_DATA` for a manifest that cannot be used
 */
export async function listedCases(root: string, classes: readonly string[] = ["background", "foreground"]): Promise<readonly CaseRef[]> {
  if (isPlainFolder(root)) return [];
  try {
    // Of other data sets only files and ids are asked for; the names of the classes are not looked at.
    return await (isDicomFolder(root) ? dicomCases({ root, classes }) : imageCases({ root, classes })).list();
  } catch (error) {
    if (isVoxError(error) && error.code === "ERR_EMPTY") return [];
    throw error;
  }
}

function isPlainFolder(root: string): boolean {
  return existsSync(root) && statSync(root).isDirectory() && volumeFiles(root).length > 0;
}
