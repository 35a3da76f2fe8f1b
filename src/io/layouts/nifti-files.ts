import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const NIFTI_NAME = /\.nii(\.gz)?$/i;

/** Names of the NIfTI files in a folder, sorted; empty when there is no such folder. Hidden files (such as the `._` copies of macOS) do not count. */
export function niftiFiles(folder: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return readdirSync(folder)
    .filter((name) => !name.startsWith(".") && NIFTI_NAME.test(name))
    .sort();
}

/** `folder/name.nii.gz` or `folder/name.nii`, whichever exists. */
export function niftiNamed(folder: string, name: string): string | undefined {
  return [".nii.gz", ".nii"].map((extension) => join(folder, name + extension)).find((path) => existsSync(path));
}

/** The file name without `.nii` or `.nii.gz`. */
export function niftiStem(name: string): string {
  return name.replace(NIFTI_NAME, "");
}
