import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { readError } from "../read-error.js";
import { type DicomKind, dicomKind } from "./dicom-kind.js";

export interface DicomFile {
  readonly path: string;
  readonly kind: DicomKind;
}

/** Links may lead in circles. */
const MAX_DEPTH = 16;
/** Files that are looked at before anything else gets its turn. */
export const FILES_PER_TURN = 32;

/**
 * All files of a folder and the folders in it, or the one file that the path is; sorted, without hidden ones.
 *
 * @throws `ERR_READ`
 */
export function filesBelow(path: string): string[] {
  try {
    return statSync(path).isDirectory() ? [...walk(path, 0)].sort() : [path];
  } catch (error) {
    throw readError(path, error);
  }
}

function* walk(folder: string, depth: number): Generator<string> {
  if (depth > MAX_DEPTH) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    const info = entry.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : entry;
    if (info?.isDirectory()) yield* walk(path, depth + 1);
    else if (info?.isFile()) yield path;
  }
}

/**
 * The DICOM files below a folder, by content and not by name, each with what it is. A file named `.dcm` that is no DICOM file is an error.
 *
 * @throws `ERR_READ`, `ERR_FORMAT`, `ERR_TRUNCATED`
 */
export async function dicomFiles(path: string): Promise<readonly DicomFile[]> {
  const found: DicomFile[] = [];
  for (const [n, file] of filesBelow(path).entries()) {
    if (n % FILES_PER_TURN === FILES_PER_TURN - 1) await setImmediate();
    const kind = dicomKind(file);
    if (kind) found.push({ path: file, kind });
  }
  return found;
}

/** Names of other kinds of files, which need not be opened. */
const OTHER_NAMES = /\.(nii|gz|nrrd|mha|mhd|raw|json|csv|tsv|txt|md|xml|html|pdf|zip|png|jpe?g|tiff?|gif)$/i;

/** Whether there is a DICOM file below a folder, or the path is one; stops at the first. */
export function holdsDicom(path: string): boolean {
  try {
    const files = statSync(path).isDirectory() ? walk(path, 0) : [path];
    for (const file of files) if (!OTHER_NAMES.test(file) && isDicom(file)) return true;
  } catch {
    // What cannot be looked at is for whoever reads it to report.
  }
  return false;
}

function isDicom(path: string): boolean {
  try {
    return dicomKind(path) !== undefined;
  } catch {
    return false;
  }
}
