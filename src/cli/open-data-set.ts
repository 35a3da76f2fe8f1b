import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { DataSet } from "../core/case.js";
import { isVoxError, requireOption, VoxError } from "../core/errors.js";
import { isDicomFolder } from "../io/dicom/is-dicom-folder.js";
import { dicomCases, imageCases } from "../io/index.js";
import { kitsLayout } from "../io/layouts/kits-layout.js";
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
    if (layout === "dicom" || (layout === "auto" && isDicomFolder(root))) {
      requireOption(
        flags.mapLabels === undefined,
        root,
        "--map-labels",
        "left out for DICOM cases, whose structures have labels by name",
        flags.mapLabels,
      );
      if (layout === "auto") requireNoOthers(root);
      return dicomCases({ root, classes: classes ?? [] });
    }
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

/** A folder of two kinds of cases would lose those of one without a word. */
function requireNoOthers(root: string): void {
  const other = kitsLayout.list({ root, subset: "train" }).find(({ images }) => !isDicomFolder(dirname(images[0]!)));
  if (other === undefined) return;
  throw new VoxError(`the folder must hold cases of one kind, got DICOM cases and ${other.images[0]}; choose by --layout dicom or --layout kits`, {
    code: "ERR_DATA",
    where: root,
  });
}
