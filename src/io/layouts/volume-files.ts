import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
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

/** `folder/name` with the ending of a format that is read, in any case of letters, whichever exists, `.nii.gz` before all others. */
export function volumeFileNamed(folder: string, name: string): string | undefined {
  return volumesByStem(folder).get(name);
}

/** Files of a folder by their names without ending; of files that differ in it alone, the one whose format is preferred. Read once for many names. */
export function volumesByStem(folder: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return found;
  const rank = (name: string): number => ENDINGS.indexOf(endingOf(name)!);
  const names = readdirSync(folder).filter(isVolumeName).sort();
  for (const name of names) {
    const stem = volumeStem(name);
    const other = found.get(stem);
    if (other === undefined || rank(name) < rank(basename(other))) found.set(stem, join(folder, name));
  }
  return found;
}

/** The file name without the ending of its format. */
export function volumeStem(name: string): string {
  const ending = endingOf(name);
  return ending === undefined ? name : name.slice(0, -ending.length);
}
