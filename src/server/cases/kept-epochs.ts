import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { containedPath } from "../files/contained-path.js";

/** A label map that validation has made of a whole case, and that was kept. */
export interface KeptEpoch {
  readonly epoch: number;
  readonly bytes: number;
}

const FOLDER = "validation";
/** More than a training keeps. */
const MOST_EPOCHS = 200;
const MOST_FILES = 5000;

/** The label maps of earlier epochs that lie in a run's folder, by case, oldest first. */
export async function keptEpochs(folder: string): Promise<ReadonlyMap<string, readonly KeptEpoch[]>> {
  const found = new Map<string, KeptEpoch[]>();
  const root = await containedPath(folder, FOLDER);
  if (!root) return found;
  const epochs = (await readdir(root).catch(() => [])).flatMap((name) => (/^epoch-\d{5,9}$/.test(name) ? [Number(name.slice(6))] : []));
  let left = MOST_FILES;
  for (const epoch of epochs.sort((a, b) => a - b).slice(-MOST_EPOCHS)) {
    const own = await containedPath(folder, FOLDER, nameOf(epoch));
    // An epoch may be thinned out meanwhile.
    for (const name of own ? await readdir(own).catch(() => []) : []) {
      if (!name.endsWith(".nii.gz") || name.startsWith(".") || left-- <= 0) continue;
      const file = await lstat(join(own!, name)).catch(() => undefined);
      if (!file?.isFile()) continue;
      const id = name.slice(0, -".nii.gz".length);
      found.set(id, [...(found.get(id) ?? []), { epoch, bytes: file.size }]);
    }
  }
  return found;
}

/** The label map of a case after an epoch; undefined when there is none in the folder itself. */
export function keptEpochPath(folder: string, id: string, epoch: number): Promise<string | undefined> {
  return containedPath(folder, FOLDER, nameOf(epoch), `${id}.nii.gz`);
}

function nameOf(epoch: number): string {
  return `epoch-${String(epoch).padStart(5, "0")}`;
}
