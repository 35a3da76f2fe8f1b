import { existsSync } from "node:fs";
import type { DataSet } from "../core/case.js";
import { isVoxError, VoxError } from "../core/errors.js";
import { isDicomFolder } from "../io/dicom/is-dicom-folder.js";
import { dicomCases, imageCases } from "../io/index.js";
import type { LayoutName } from "./layout-option.js";
import { type ReadingFlags, readingOf } from "./reading-options.js";

export interface DataSetOptions extends ReadingFlags {
  readonly classes?: readonly string[];
  readonly layout: LayoutName;
}

/** The data set that `<data> --layout --classes` describe. */
export function openDataSet(root: string, { classes, layout, ...flags }: DataSetOptions): DataSet {
  if (!existsSync(root)) throw new VoxError("the folder of cases must exist", { code: "ERR_READ", where: root });
  try {
    if (layout === "dicom" || (layout === "auto" && isDicomFolder(root))) return dicomCases({ root, classes: classes ?? [] });
    return imageCases({ root, layout, ...(classes !== undefined && { classes }), ...readingOf(flags) });
  } catch (error) {
    if (classes !== undefined || !isVoxError(error) || !/classes must/.test(error.message) || error.code !== "ERR_OPTION") throw error;
    throw new VoxError("the names of the classes must be given, as in --classes background,kidney,tumor: no dataset.json tells them", {
      code: "ERR_OPTION",
      where: root,
      cause: error,
    });
  }
}
