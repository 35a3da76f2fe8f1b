import { stat } from "node:fs/promises";
import { containedPath } from "./contained-path.js";

export type VolumeKind = "image" | "label" | "prediction";

export interface CaseVolume {
  readonly path: string;
  readonly bytes: number;
  readonly isGzip: boolean;
}

/** Where the layouts that Voxstream reads keep a case: KiTS, nnU-Net and Medical Segmentation Decathlon, a folder of files. */
const PLACES: Readonly<Record<"image" | "label", readonly ((id: string) => readonly string[])[]>> = {
  image: [
    (id) => [id, "imaging"],
    (id) => ["imagesTr", `${id}_0000`],
    (id) => ["imagesTs", `${id}_0000`],
    (id) => ["imagesTr", id],
    (id) => ["imagesTs", id],
    (id) => [id],
  ],
  label: [(id) => [id, "segmentation"], (id) => ["labelsTr", id], (id) => ["labelsTs", id]],
};

/** Finds a file of a case: its prediction in the run's folder, its image and label map below one of the folders that the owner allowed. */
export async function findCaseVolume(kind: VolumeKind, id: string, run: string, data: readonly string[]): Promise<CaseVolume | undefined> {
  if (kind === "prediction") return find(run, ["predictions", id]);
  for (const root of data) {
    for (const place of PLACES[kind]) {
      const found = await find(root, place(id));
      if (found) return found;
    }
  }
  return undefined;
}

async function find(root: string, names: readonly string[]): Promise<CaseVolume | undefined> {
  for (const ending of [".nii.gz", ".nii"]) {
    const path = await containedPath(root, ...names.slice(0, -1), `${names[names.length - 1]}${ending}`);
    if (!path) continue;
    const { size, isFile } = await stat(path).then(
      (found) => ({ size: found.size, isFile: found.isFile() }),
      () => ({ size: 0, isFile: false }),
    );
    if (isFile) return { path, bytes: size, isGzip: ending === ".nii.gz" };
  }
  return undefined;
}
