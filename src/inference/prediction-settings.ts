import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CaseRef } from "../core/case.js";
import { VoxError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import { volumesByStem } from "../io/layouts/volume-files.js";
import { writeAtomically } from "../io/write-atomically.js";

/** All that decides what a prediction looks like, beside the image; `prediction.json` in the folder of predictions. */
export interface PredictionSettings {
  readonly format: "voxstream-prediction";
  /** Checksums of the weights of all networks. */
  readonly weights: readonly string[];
  readonly classes: readonly string[];
  readonly patch: Json;
  readonly overlap: Json;
  readonly weighting: string;
  readonly flips: readonly number[];
  readonly rotations?: Json;
  readonly ensemble: string | null;
  readonly planes: readonly string[];
  readonly postprocessing: Json;
}

const NAME = "prediction.json";

/**
 * Notes how the predictions of a folder are made. A folder that was begun with other settings is refused, so that finished cases of another model are
 * never taken for this one's; and so is one with files that no prediction wrote, such as the images or their ground truth, also with `overwrite`.
 *
 * @throws `ERR_OPTION` when the folder was begun otherwise and `overwrite` is not set, or holds other files of these names; `ERR_WRITE`
 */
export async function notePredictionSettings(
  folder: string,
  settings: PredictionSettings,
  { refs, overwrite }: { readonly refs: readonly CaseRef[]; readonly overwrite: boolean },
): Promise<void> {
  const path = join(folder, NAME);
  const text = `${JSON.stringify(settings, undefined, 2)}\n`;
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before === text) return;
  const there = before === undefined ? volumesByStem(folder) : undefined;
  const foreign = refs.map(({ id }) => there?.get(id)).find((path) => path !== undefined);
  if (foreign) {
    throw new VoxError(
      `the folder must be new or hold predictions with their ${NAME}, got ${foreign}, which no prediction wrote; choose another folder`,
      { code: "ERR_OPTION", where: "predict" },
    );
  }
  // A run that failed before its first case binds nobody.
  const hasPredictions =
    before !== undefined &&
    (await readdir(folder)).some((name) => !name.startsWith(".") && (/\.nii(\.gz)?$/.test(name) || refs.some(({ id }) => name === `${id}.png`)));
  if (hasPredictions && !overwrite) {
    throw new VoxError(
      `the folder must be new or hold predictions of the same bundle and settings, got ${path} with others; set overwrite, or choose another folder`,
      {
        code: "ERR_OPTION",
        where: "predict",
      },
    );
  }
  await writeAtomically(path, [Buffer.from(text)]);
}
