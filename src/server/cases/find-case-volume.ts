import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { CaseReading } from "../../core/case.js";
import { splitAddress } from "../../core/record-case-sources.js";
import { containedPath } from "../files/contained-path.js";
import { isForeignVolume, isNifti, isSeries } from "./is-foreign-volume.js";
import { recordedFile, recordedSources } from "./recorded-sources.js";

export type VolumeKind = "image" | "label" | "prediction";

export interface CaseVolume {
  /** A file, a folder of a series, or the address of one. */
  readonly path: string;
  readonly bytes: number;
  readonly isGzip: boolean;
  /** Another format than NIfTI, which is all that the page can draw: it is written anew for it. */
  readonly isForeign?: boolean;
  readonly reading?: CaseReading;
}

/** Files of a case that the owner allowed to be shown, as real paths. */
export interface CaseFiles {
  readonly image?: string;
  readonly label?: string;
  readonly reading?: CaseReading;
}

/** Where images and label maps may be taken from. */
export interface CaseSources {
  /** Real paths of folders of cases. */
  readonly data: readonly string[];
  /** Single files by case id; these go first. */
  readonly cases: ReadonlyMap<string, CaseFiles>;
}

/** Of files in the layouts below. */
const ENDINGS = [".nii.gz", ".nii", ".nrrd", ".mha"];
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
  const known = cases.get(id);
  if (known?.[kind] !== undefined) return volumeAt(known[kind], known.reading);
  for (const root of data) {
    for (const place of PLACES[kind]) {
      const found = await find(root, place(id));
      if (found) return found;
    }
  }
  const source = (await recordedSources(run)).get(id);
  const noted = await recordedFile(source?.[kind]);
  return noted === undefined ? undefined : volumeAt(noted, source?.reading);
}

async function find(root: string, names: readonly string[]): Promise<CaseVolume | undefined> {
  for (const ending of ENDINGS) {
    const path = await containedPath(root, ...names.slice(0, -1), `${names[names.length - 1]}${ending}`);
    const found = path && (await volumeAt(path));
    if (found) return found;
  }
  return undefined;
}

async function volumeAt(path: string, reading?: CaseReading): Promise<CaseVolume | undefined> {
  const [place, options] = splitAddress(path);
  const found = await stat(place).catch(() => undefined);
  if (found?.isFile() && options === "" && isNifti(path)) return { path, bytes: found.size, isGzip: path.endsWith(".gz") };
  const isVolume = found?.isDirectory() ? await isSeries(place) : found?.isFile() && (await isForeignVolume(place));
  if (!found || !isVolume) return undefined;
  const bytes = found.isDirectory() ? await bytesOfSeries(place) : found.size;
  return { path, bytes, isGzip: true, isForeign: true, ...(reading && { reading }) };
}

/** About the size of a series: its slices are alike. */
async function bytesOfSeries(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const first = names[0] === undefined ? undefined : await stat(join(folder, names[0])).catch(() => undefined);
  return names.length * (first?.size ?? 0);
}
