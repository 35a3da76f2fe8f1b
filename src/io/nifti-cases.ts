import type { DataSet } from "../core/case.js";
import { casesOf, type ImageCasesOptions } from "./image-cases.js";

export type NiftiCasesOptions = ImageCasesOptions;

/**
 * `imageCases` by its older name, from when NIfTI was all that was read.
 *
 * @throws as `imageCases`
 * @example
 * const data = niftiCases({ root: "data/kits19", classes: ["background", "kidney", "tumor"] });
 */
export function niftiCases(options: NiftiCasesOptions): DataSet {
  return casesOf("niftiCases", options);
}
