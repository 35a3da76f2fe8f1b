import { open, readdir } from "node:fs/promises";
import { join } from "node:path";

const NIFTI = /\.nii(\.gz)?$/i;
/** Formats that are written anew for the page, by their endings. */
const OTHERS = /\.(nrrd|nhdr|mha|mhd|png|tiff?|jpe?g|bmp|gif)$/i;
const DICOM_MARK_AT = 128;
/** The first files of a folder that are looked at. */
const MOST_LOOKS = 5;

/** Whether a file is what the page itself can draw. */
export function isNifti(path: string): boolean {
  return NIFTI.test(path);
}

/** Whether a file is of another format that volumes are read from; DICOM is told by its mark. */
export async function isForeignVolume(path: string): Promise<boolean> {
  return OTHERS.test(path) || (!isNifti(path) && (await isDicom(path)));
}

/** Whether a folder holds a DICOM series. */
export async function isSeries(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter((each) => each.isFile() && !each.name.startsWith(".")).slice(0, MOST_LOOKS)) {
    if (await isDicom(join(folder, entry.name))) return true;
  }
  return false;
}

/** @source DICOM PS3.10, 7.1: 128 bytes, then "DICM" */
async function isDicom(path: string): Promise<boolean> {
  const file = await open(path, "r").catch(() => undefined);
  if (!file) return false;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, DICOM_MARK_AT);
    return bytesRead === 4 && buffer.toString("latin1") === "DICM";
  } catch {
    // Such as a folder in the place of a file.
    return false;
  } finally {
    await file.close();
  }
}
