import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { VoxError } from "../core/errors.js";
import type { Json } from "../core/json.js";
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
 * never taken for this one's.
 *
 * @throws `ERR_OPTION` when the folder was begun otherwise and `overwrite` is not set; `ERR_WRITE`
 */
export async function notePredictionSettings(folder: string, settings: PredictionSettings, overwrite: boolean): Promise<void> {
  const path = join(folder, NAME);
  const text = `${JSON.stringify(settings, undefined, 2)}\n`;
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before === text) return;
  // A run that failed before its first case binds nobody.
  const hasPredictions = before !== undefined && (await readdir(folder)).some((name) => !name.startsWith(".") && /\.nii(\.gz)?$/.test(name));
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
