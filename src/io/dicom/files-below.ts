import { readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { readError } from "../read-error.js";
import { dicomKind } from "./dicom-kind.js";

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
    return statSync(path).isDirectory() ? [...walk(path)].sort() : [path];
  } catch (error) {
    throw readError(path, error);
  }
}

/** `above` are the real paths of the folders around: a link to one of them leads in a circle. */
function* walk(folder: string, above: readonly string[] = []): Generator<string> {
  const own = realpathSync(folder);
  if (above.length > MAX_DEPTH || above.includes(own)) return;
  const around = [...above, own];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    const info = entry.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : entry;
    if (info?.isDirectory()) yield* walk(path, around);
    else if (info?.isFile()) yield path;
  }
}

/** Names of other kinds of files, which need not be opened. */
const OTHER_NAMES = /\.(nii|gz|nrrd|mha|mhd|raw|json|csv|tsv|txt|md|xml|html|pdf|zip|png|jpe?g|tiff?|gif)$/i;

/** Whether there is a DICOM file below a folder, or the path is one; stops at the first. */
export function holdsDicom(path: string): boolean {
  try {
    const files = statSync(path).isDirectory() ? walk(path) : [path];
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
