import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DataSet } from "../core/case.js";
import { VoxError } from "../core/errors.js";
import { volumeFiles, volumeStem } from "../io/layouts/volume-files.js";
import { listedCases } from "./listed-cases.js";

/**
 * Label files by case id: of a data set, also as a folder or CSV manifest in any layout of `imageCases`, or of a folder of `<id>.nii.gz` or another format, or of DICOM cases, whose
 * structures are called as `classes`.
 *
 * @throws `ERR_READ` when the path does not exist or is a file of another kind, `ERR_EMPTY` when there is no label in it
 * @example
 * (await labelFiles("data/kits19")).get("case_00000"); // "data/kits19/case_00000/segmentation.nii.gz"
 */
export async function labelFiles(labels: string | DataSet, classes?: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  if (typeof labels !== "string") {
    for (const { id, label } of await labels.list()) if (label !== undefined) files.set(id, label);
  } else {
    if (!existsSync(labels)) throw new VoxError("the labels must exist", { code: "ERR_READ", where: labels });
    for (const { id, label } of await listedCases(labels, classes)) if (label !== undefined) files.set(id, label);
    if (files.size === 0) {
      if (!statSync(labels).isDirectory()) {
        throw new VoxError("labels must be a folder, or a CSV manifest with the columns id,image,label", { code: "ERR_READ", where: labels });
      }
      for (const name of volumeFiles(labels)) files.set(volumeStem(name), join(labels, name));
    }
  }
  if (files.size > 0) return files;
  throw new VoxError(
    "there must be label files: <id>.nii.gz, <id>.png or another format, or a data set in KiTS, nnU-Net or Decathlon layout or a CSV manifest, got none",
    {
      code: "ERR_EMPTY",
      where: typeof labels === "string" ? labels : "data set",
    },
  );
}
