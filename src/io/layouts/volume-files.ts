import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { formats } from "../formats.js";

/** Formats that lie in one file each, the one that is preferred first. */
const FILE_FORMATS = formats.filter(({ name }) => name !== "dicom");
const ENDINGS = FILE_FORMATS.flatMap(({ extensions }) => extensions);
const PICTURE_ENDINGS = FILE_FORMATS.filter(({ isPlanar }) => isPlanar).flatMap(({ extensions }) => extensions);

function endingOf(name: string, endings: readonly string[] = ENDINGS): string | undefined {
  const lower = name.toLowerCase();
  return endings.find((ending) => lower.endsWith(ending) && lower.length > ending.length);
}

/** Whether a file is of a format that is read, by its name. Hidden files (such as the `._` copies of macOS) do not count. */
export function isVolumeName(name: string): boolean {
  return !name.startsWith(".") && endingOf(name) !== undefined;
}

/**
 * Names of the volume files in a folder, sorted; empty when there is no such folder. Pictures count where there is nothing else: beside volumes they are
 * there to be looked at.
 */
export function volumeFiles(folder: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  const names = readdirSync(folder).filter(isVolumeName).sort();
  const volumes = names.filter((name) => endingOf(name, PICTURE_ENDINGS) === undefined);
  return volumes.length > 0 ? volumes : names;
}

/** `folder/name` with the ending of a format that is read, whichever exists, `.nii.gz` before all others. */
export function volumeFileNamed(folder: string, name: string): string | undefined {
  return ENDINGS.map((ending) => join(folder, name + ending)).find((path) => existsSync(path));
}

/** The file name without the ending of its format. */
export function volumeStem(name: string): string {
  const ending = endingOf(name);
  return ending === undefined ? name : name.slice(0, -ending.length);
}
