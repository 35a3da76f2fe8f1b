import { join } from "node:path";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { Json } from "../../core/json.js";
import type { OptimizerState } from "../learning/make-optimizer.js";
import { requireFiniteWeights } from "../learning/require-finite-weights.js";
import type { RunMark } from "../run/run-folder.js";
import type { TrainingState } from "../training-state.js";
import type { BundleDescription } from "./bundle-description.js";
import { replaceFolder } from "./replace-folder.js";
import { sha256, writeBundle } from "./save-bundle.js";
import { writeDurably } from "./write-durably.js";

/** The content of `state.json` beside a checkpoint's bundle. */
export interface CheckpointFile {
  readonly format: "voxstream-checkpoint";
  readonly formatVersion: 1;
  readonly kind: "latest" | "best";
  /** What must be the same for a run to continue here. */
  readonly identity: Readonly<Record<string, Json>>;
  readonly state: TrainingState;
  readonly mark: RunMark;
  /** Absent in `best`, which is kept for predicting and fine-tuning. */
  readonly optimizer?: {
    readonly steps: number;
    readonly slots: readonly { readonly name: string; readonly length: number }[];
    readonly sha256: string;
  };
}

export interface Checkpoint {
  readonly kind: "latest" | "best";
  readonly model: tfl.LayersModel;
  readonly description: BundleDescription;
  readonly identity: Readonly<Record<string, Json>>;
  readonly state: TrainingState;
  readonly mark: RunMark;
  readonly optimizer?: OptimizerState;
}

/**
 * Writes a checkpoint: a bundle with `state.json` and the optimizer's moments. The folder changes as a whole or not at all.
 *
 * @throws `ERR_WRITE`; `ERR_TRAINING` for weights that are not finite: the checkpoint before stays
 */
export async function saveCheckpoint(folder: string, { kind, model, description, identity, state, mark, optimizer }: Checkpoint): Promise<void> {
  await requireFiniteWeights(model, state.step);
  const slots = optimizer ? [...optimizer.slots] : [];
  const bytes = slots.map(([, values]) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  const file: CheckpointFile = {
    format: "voxstream-checkpoint",
    formatVersion: 1,
    kind,
    identity,
    state,
    mark,
    ...(optimizer && {
      optimizer: { steps: optimizer.steps, slots: slots.map(([name, { length }]) => ({ name, length })), sha256: sha256(...bytes) },
    }),
  };
  await replaceFolder(folder, async (target) => {
    await writeBundle(target, model, description);
    if (optimizer) await writeDurably(join(target, "optimizer.bin"), ...bytes);
    await writeDurably(join(target, "state.json"), `${JSON.stringify(file)}\n`);
  });
}
