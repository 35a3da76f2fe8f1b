import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DataSet } from "../../core/case.js";
import { VoxError } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import { removeBundlePostprocessing } from "../../inference/bundle-postprocessing.js";
import { type BundlePostprocessing, writeBundlePostprocessing } from "../../inference/index.js";
import { volumesByStem } from "../../io/layouts/volume-files.js";
import { labelFiles } from "../label-files.js";
import { labelReadings } from "../label-readings.js";
import { readLabelPair } from "../read-label-pair.js";
import type { Splits } from "../splits.js";
import { choosePostprocessing, type PostprocessingChoice } from "./choose-postprocessing.js";
import { type ComponentTable, componentTables, postprocessedRegions } from "./component-table.js";

export interface RecordPostprocessingOptions {
  /** Of the cross-validation. */
  readonly folder: string;
  readonly data: DataSet;
  readonly splits: Splits;
  readonly checkpoint: "latest" | "best";
  /** Labels taken together, beside all foreground classes. */
  readonly regions?: readonly (readonly number[])[];
  /** Cases of one group stay together. */
  readonly groupOf?: ((id: string) => string) | undefined;
  /** Cases that were not predicted. */
  readonly leftOut: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Chooses the postprocessing on the out-of-fold predictions of a cross-validation and writes it into `evaluation/postprocessing.json` and into the bundle of
 * every fold, where `predict` finds it. Steps that do not hold on cases that took no part in their choice are recorded and not carried out.
 *
 * @throws `ERR_READ` when predictions of a fold are not here; `ERR_STOPPED`; what reading and writing throw
 */
export async function recordPostprocessing(options: RecordPostprocessingOptions): Promise<PostprocessingChoice> {
  const { folder, data, splits, checkpoint, leftOut, signal } = options;
  const { classes } = data;
  const regions = postprocessedRegions(classes, options.regions);
  const references = await labelFiles(data);
  const readingOf = await labelReadings(data);
  const tables: ComponentTable[] = [];
  for (const [fold, { validation }] of splits.entries()) {
    const own = join(folder, `fold-${fold}`, "predictions");
    const predicted = volumesByStem(own);
    for (const id of validation) {
      if (signal?.aborted) throw new VoxError("the choice was stopped", { code: "ERR_STOPPED", where: "postprocessing", cause: signal.reason });
      if (leftOut.includes(id)) continue;
      const prediction = predicted.get(id) ?? join(own, `${id}.nii.gz`);
      if (!existsSync(prediction)) {
        throw new VoxError("the prediction of every held-out case must be there to choose postprocessing, got no such file", {
          code: "ERR_READ",
          where: prediction,
          sampleId: id,
        });
      }
      tables.push(
        ...componentTables({
          id,
          fold,
          classes,
          regions,
          pair: await readLabelPair({ id, prediction, reference: references.get(id)!, classes, reading: readingOf(id) }),
        }),
      );
    }
  }
  const choice = choosePostprocessing(tables, { ...(options.groupOf && { groupOf: options.groupOf }) });
  const content: BundlePostprocessing = {
    format: "voxstream-postprocessing",
    steps: choice.steps,
    // Plain data.
    evidence: JSON.parse(
      JSON.stringify({
        folds: splits.length,
        cases: new Set(tables.map(({ id }) => id)).size,
        parts: choice.parts,
        regions: choice.regions,
        classes: choice.classes,
      }),
    ) as Json,
  };
  // What was chosen for other weights is theirs no longer.
  await forgetPostprocessing(folder, splits);
  await writeBundlePostprocessing(join(folder, "evaluation"), content);
  for (const fold of splits.keys()) {
    const bundle = join(folder, `fold-${fold}`, "checkpoints", checkpoint);
    if (existsSync(bundle)) await writeBundlePostprocessing(bundle, content);
  }
  return choice;
}

/** Removes what was chosen, so that `predict` applies nothing. */
export async function forgetPostprocessing(folder: string, splits: Splits): Promise<void> {
  await removeBundlePostprocessing(join(folder, "evaluation"));
  for (const fold of splits.keys())
    for (const kind of ["latest", "best"]) await removeBundlePostprocessing(join(folder, `fold-${fold}`, "checkpoints", kind));
}
