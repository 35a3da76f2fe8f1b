import { stat } from "node:fs/promises";
import { containedPath } from "../files/contained-path.js";
import { recordedFile, recordedSources } from "./recorded-sources.js";

export type VolumeKind = "image" | "label" | "prediction";

export interface CaseVolume {
  readonly path: string;
  readonly bytes: number;
  readonly isGzip: boolean;
}

/** Files of a case that the owner allowed to be shown, as real paths. */
export interface CaseFiles {
  readonly image?: string;
  readonly label?: string;
}

/** Where images and label maps may be taken from. */
export interface CaseSources {
  /** Real paths of folders of cases. */
  readonly data: readonly string[];
  /** Single files by case id; these go first. */
  readonly cases: ReadonlyMap<string, CaseFiles>;
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

/**
 * Finds a file of a case: its prediction in the run's folder; its image and label map among the sources that the owner allowed, and then where the run has
 * noted that they lie.
 */
export async function findCaseVolume(
  kind: VolumeKind,
  id: string,
  run: string,
  { data, cases }: CaseSources = { data: [], cases: new Map() },
): Promise<CaseVolume | undefined> {
  // A folder that was predicted into holds its label maps itself.
  if (kind === "prediction") return (await find(run, ["predictions", id])) ?? find(run, [id]);
  const known = cases.get(id)?.[kind];
  if (known !== undefined) return volumeAt(known);
  for (const root of data) {
    for (const place of PLACES[kind]) {
      const found = await find(root, place(id));
      if (found) return found;
    }
  }
  const noted = await recordedFile((await recordedSources(run)).get(id)?.[kind]);
  return noted === undefined ? undefined : volumeAt(noted);
}

async function find(root: string, names: readonly string[]): Promise<CaseVolume | undefined> {
  for (const ending of [".nii.gz", ".nii"]) {
    const path = await containedPath(root, ...names.slice(0, -1), `${names[names.length - 1]}${ending}`);
    const found = path && (await volumeAt(path));
    if (found) return found;
  }
  return undefined;
}

async function volumeAt(path: string): Promise<CaseVolume | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? { path, bytes: found.size, isGzip: path.endsWith(".gz") } : undefined;
}
