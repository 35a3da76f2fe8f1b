import type { CaseRef } from "../core/case.js";
import { isVoxError } from "../core/errors.js";
import { niftiCases } from "../io/nifti-cases.js";

/**
 * The cases of a data set in any layout that `niftiCases` knows, KiTS to CSV manifest; none where a path is no data set, such as a plain folder of files.
 *
 * @throws `ERR_READ` when the path does not exist, `ERR_DATA` for a manifest that cannot be used
 */
export async function listedCases(root: string): Promise<readonly CaseRef[]> {
  try {
    // Only files and ids are asked for; the names of the classes are not looked at.
    return await niftiCases({ root, classes: ["background", "foreground"] }).list();
  } catch (error) {
    if (isVoxError(error) && error.code === "ERR_EMPTY") return [];
    throw error;
  }
}
