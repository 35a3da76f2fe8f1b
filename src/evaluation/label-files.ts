import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DataSet } from "../core/case.js";
import { VoxError } from "../core/errors.js";
import { kitsLayout } from "../io/layouts/kits-layout.js";
import { niftiFiles, niftiStem } from "../io/layouts/nifti-files.js";

/**
 * Label files by case id: of a data set, of a folder in KiTS layout, or of a folder of `<id>.nii.gz`.
 *
 * @throws `ERR_READ` when the folder does not exist, `ERR_EMPTY` when there is no label in it
 * @example
 * (await labelFiles("data/kits19")).get("case_00000"); // "data/kits19/case_00000/segmentation.nii.gz"
 */
export async function labelFiles(labels: string | DataSet): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  if (typeof labels !== "string") {
    for (const { id, label } of await labels.list()) if (label !== undefined) files.set(id, label);
  } else {
    if (!existsSync(labels) || !statSync(labels).isDirectory()) throw new VoxError("the folder must exist", { code: "ERR_READ", where: labels });
    for (const { id, label } of kitsLayout.list({ root: labels, subset: "train" })) if (label !== undefined) files.set(id, label);
    if (files.size === 0) for (const name of niftiFiles(labels)) files.set(niftiStem(name), join(labels, name));
  }
  if (files.size > 0) return files;
  throw new VoxError("there must be label files: <id>.nii.gz, or <case>/segmentation.nii.gz (KiTS), got none", {
    code: "ERR_EMPTY",
    where: typeof labels === "string" ? labels : "data set",
  });
}
