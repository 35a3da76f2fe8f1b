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
import type { ScoringSettings } from "./scoring-settings.js";
import type { Splits } from "./splits.js";

const NAME = "cross-validation.json";

/** All that trained networks depend on, so that folds of different experiments are never put together. */
export async function crossValidationIdentity({
  config,
  seed,
  refs,
  splits,
  heldOut,
  inner,
}: {
  readonly config: TrainingConfig;
  readonly seed: number;
  readonly refs: readonly CaseRef[];
  readonly splits: Splits;
  readonly heldOut: HeldOut;
  readonly inner: readonly (readonly string[])[];
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
    ...(heldOut !== "hidden" && { heldOut }),
    patch: patch ?? null,
    preprocessing: preprocessing.map(({ name, params }) => ({ name, params })),
  };
  // Through JSON, which leaves out what is undefined.
  return JSON.parse(JSON.stringify(identity)) as Record<string, Json>;
}

/** What a run was begun with, and how its held-out cases are scored now. */
export interface CrossValidationRecord {
  readonly identity: Record<string, Json>;
  readonly scoring: Partial<ScoringSettings>;
}

/**
 * Reads `cross-validation.json`; undefined in a new folder.
 *
 * @throws `ERR_CHECKPOINT` when it is no readable JSON
 */
export async function readCrossValidation(folder: string): Promise<CrossValidationRecord | undefined> {
  const path = join(folder, NAME);
  if (!existsSync(path)) return undefined;
  try {
    const { scoring, checkpoint, regions, ...identity } = JSON.parse(await readFile(path, "utf8")) as Record<string, Json>;
    // Earlier versions had these two beside the others.
    const older = { ...(checkpoint !== undefined && { checkpoint }), ...(regions !== undefined && { regions }) };
    return { identity, scoring: (scoring ?? older) as Partial<ScoringSettings> };
  } catch (error) {
    throw new VoxError(`the file must be readable JSON: ${errorMessage(error)}`, { code: "ERR_CHECKPOINT", where: path, cause: error });
  }
}

/**
 * Writes `cross-validation.json`.
 *
 * @throws `ERR_CHECKPOINT` when the folder was begun with another identity
 */
export async function noteIdentity(folder: string, identity: Record<string, Json>, scoring: ScoringSettings): Promise<void> {
  const path = join(folder, NAME);
  const before = await readCrossValidation(folder);
  if (before) requireSameRun(path, before.identity, identity);
  else if (existsSync(join(folder, "events.jsonl"))) {
    throw new VoxError("the folder must be new or hold a cross-validation, got a training; choose another name", {
      code: "ERR_CHECKPOINT",
      where: folder,
    });
  }
  const text = `${JSON.stringify({ ...identity, scoring }, undefined, 2)}\n`;
  if (before && (await readFile(path, "utf8")) === text) return;
  await writeAtomically(path, [Buffer.from(text)]);
}
