import { formatOf } from "./formats.js";

/**
 * All files that a volume lies in: the one that is named, and those that hold its voxels where its header stands alone. A file that cannot be read counts
 * as one.
 *
 * @throws never
 * @example
 * await filesOfVolume("data/kits19/case_00000/imaging.nii.gz"); // that file alone; of a .nhdr or .mhd its data file, too
 */
export async function filesOfVolume(path: string): Promise<readonly string[]> {
  try {
    return (await formatOf(path).files?.(path)) ?? [path];
  } catch {
    // What is wrong with it is said where it is read.
    return [path];
  }
}
