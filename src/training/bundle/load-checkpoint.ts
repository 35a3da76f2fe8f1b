import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { describe, errorMessage, VoxError } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import type { OptimizerState } from "../learning/make-optimizer.js";
import { type LoadedBundle, loadBundle } from "./load-bundle.js";
import { recoverFolder } from "./replace-folder.js";
import { sha256 } from "./save-bundle.js";
import type { CheckpointFile } from "./save-checkpoint.js";

export interface LoadedCheckpoint extends LoadedBundle {
  readonly file: CheckpointFile;
  readonly optimizer: OptimizerState | undefined;
}

const schema = z.looseObject({
  format: z.literal("voxstream-checkpoint"),
  formatVersion: z.literal(1),
  identity: z.record(z.string(), z.unknown()),
  state: z.looseObject({ epoch: z.int(), step: z.int(), stepInEpoch: z.int(), position: z.record(z.string(), z.unknown()) }),
  mark: z.looseObject({ eventsBytes: z.number(), historyBytes: z.number() }),
  optimizer: z.looseObject({ steps: z.int(), slots: z.array(z.looseObject({ name: z.string(), length: z.int() })), sha256: z.string() }).optional(),
});

/** Whether there is a checkpoint to resume from, after repairing what an interrupted write may have left. */
export async function hasCheckpoint(folder: string): Promise<boolean> {
  await recoverFolder(folder);
  return existsSync(join(folder, "state.json"));
}

/**
 * Loads a checkpoint.
 *
 * @throws `ERR_CHECKPOINT` when it is incomplete, changed or of another format; `ERR_BUNDLE` for its network
 */
export async function loadCheckpoint(folder: string): Promise<LoadedCheckpoint> {
  await recoverFolder(folder);
  const read = async (name: string): Promise<Buffer> => {
    try {
      return await readFile(join(folder, name));
    } catch (error) {
      throw checkpointError(folder, `${name} must be there and readable: ${errorMessage(error)}`, error);
    }
  };
  let content: unknown;
  try {
    content = JSON.parse((await read("state.json")).toString("utf8"));
  } catch (error) {
    if (error instanceof VoxError) throw error;
    throw checkpointError(folder, `state.json must be JSON, but: ${errorMessage(error)}`, error);
  }
  const result = schema.safeParse(content);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw checkpointError(folder, `state.json must be of format voxstream-checkpoint 1, but ${issue!.path.join(".") || "it"}: ${issue!.message}`);
  }
  // The schema has checked what is read; the rest was written by saveCheckpoint.
  const file = result.data as unknown as CheckpointFile;
  const bundle = await loadBundle(folder);
  let optimizer: OptimizerState | undefined;
  if (file.optimizer) {
    const bytes = await read("optimizer.bin");
    if (sha256(bytes) !== file.optimizer.sha256)
      throw checkpointError(folder, "optimizer.bin must be the file that was saved, but its checksum differs");
    const slots = new Map<string, Float32Array>();
    let offset = 0;
    for (const { name, length } of file.optimizer.slots) {
      // A copy, because the file's bytes need not be aligned.
      slots.set(name, new Float32Array(bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + 4 * length) as ArrayBuffer));
      offset += 4 * length;
    }
    optimizer = { steps: file.optimizer.steps, slots };
  }
  return { ...bundle, file, optimizer };
}

/**
 * Checks that a checkpoint belongs to the run that wants to continue from it.
 *
 * @throws `ERR_CHECKPOINT` naming the first difference
 */
export function requireSameRun(folder: string, saved: Readonly<Record<string, Json>>, wanted: Readonly<Record<string, Json>>): void {
  for (const key of new Set([...Object.keys(wanted), ...Object.keys(saved)])) {
    if (canonical(saved[key]) === canonical(wanted[key])) continue;
    throw checkpointError(
      folder,
      `the checkpoint must be of the same configuration, but its ${key} is ${describe(saved[key])} and now ${describe(wanted[key])}`,
    );
  }
}

/** JSON with sorted keys, without fields that are undefined. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function checkpointError(folder: string, sentence: string, cause?: unknown): VoxError {
  return new VoxError(sentence, { code: "ERR_CHECKPOINT", where: folder, cause });
}
