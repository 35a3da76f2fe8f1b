import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CaseRef } from "../core/case.js";
import { errorMessage, VoxError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import { writeAtomically } from "../io/write-atomically.js";
import { requireSameRun } from "../training/bundle/load-checkpoint.js";
import { sha256 } from "../training/bundle/save-bundle.js";
import type { TrainingConfig } from "../training/config/training-config.js";
import { inspectGraph } from "../training/hosting/inspect-graph.js";
import { dataFingerprint } from "../training/run/data-fingerprint.js";
import type { HeldOut } from "./run-fold.js";
import type { Splits } from "./splits.js";

/** All that results depend on, so that folds of different experiments are never put together. */
export async function crossValidationIdentity({
  config,
  seed,
  refs,
  splits,
  checkpoint,
  heldOut,
  inner,
  regions,
}: {
  readonly config: TrainingConfig;
  readonly seed: number;
  readonly refs: readonly CaseRef[];
  readonly splits: Splits;
  readonly checkpoint: string;
  readonly heldOut: HeldOut;
  readonly inner: readonly (readonly string[])[];
  readonly regions: Readonly<Record<string, readonly number[]>>;
}): Promise<Record<string, Json>> {
  const { schedule, callbacks: _, checkpoint: __, ...training } = config.training;
  const { patch, preprocessing } = inspectGraph(config);
  const identity = {
    seed,
    folds: splits.length,
    classes: config.data.classes,
    channels: config.data.channels,
    model: { name: config.model.name, options: config.model.options },
    loss: { name: config.loss.name, options: config.loss.options ?? {} },
    training: { ...training, schedule: schedule ? { name: schedule.name, options: schedule.options } : null },
    ...(config.init !== undefined && { init: config.init }),
    dataSet: await dataFingerprint(refs),
    splits: sha256(JSON.stringify(splits)),
    validating: sha256(JSON.stringify(inner)),
    checkpoint,
    ...(heldOut !== "hidden" && { heldOut }),
    ...(Object.keys(regions).length > 0 && { regions }),
    patch: patch ?? null,
    preprocessing: preprocessing.map(({ name, params }) => ({ name, params })),
  };
  // Through JSON, which leaves out what is undefined.
  return JSON.parse(JSON.stringify(identity)) as Record<string, Json>;
}

/** @throws `ERR_CHECKPOINT` when the folder was begun with another identity */
export async function noteIdentity(folder: string, identity: Record<string, Json>): Promise<void> {
  const path = join(folder, "cross-validation.json");
  if (existsSync(path)) {
    let saved: Record<string, Json>;
    try {
      saved = JSON.parse(await readFile(path, "utf8")) as Record<string, Json>;
    } catch (error) {
      throw new VoxError(`the file must be readable JSON: ${errorMessage(error)}`, { code: "ERR_CHECKPOINT", where: path, cause: error });
    }
    requireSameRun(path, saved, identity);
    return;
  }
  if (existsSync(join(folder, "events.jsonl"))) {
    throw new VoxError("the folder must be new or hold a cross-validation, got a training; choose another name", {
      code: "ERR_CHECKPOINT",
      where: folder,
    });
  }
  await writeAtomically(path, [Buffer.from(`${JSON.stringify(identity, undefined, 2)}\n`)]);
}
