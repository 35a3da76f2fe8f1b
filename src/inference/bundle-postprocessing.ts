import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Json } from "../core/json.js";
import { writeAtomically } from "../io/write-atomically.js";
import type { PostprocessingStep } from "./postprocessing-step.js";
import { readJsonRecord } from "./read-json-record.js";

/** `postprocessing.json` in a bundle: what was chosen on validation cases, and why. */
export interface BundlePostprocessing {
  readonly format: "voxstream-postprocessing";
  readonly steps: readonly PostprocessingStep[];
  /** What the choice was made from. */
  readonly evidence: Json;
}

const classes = z.array(z.string()).min(1);
const schema = z.object({
  format: z.literal("voxstream-postprocessing"),
  steps: z.array(
    z.discriminatedUnion("operation", [
      z.object({ operation: z.literal("keepLargest"), classes, count: z.int().min(1) }),
      z.object({ operation: z.literal("minimalSize"), classes, size: z.number().positive(), unit: z.enum(["mm3", "voxels"]) }),
    ]),
  ),
  evidence: z.json(),
});

const NAME = "postprocessing.json";

/**
 * What a bundle says of its postprocessing; undefined where nothing was ever chosen.
 *
 * @throws `ERR_BUNDLE` when the file is not what `writeBundlePostprocessing` writes
 * @example
 * (await readBundlePostprocessing("runs/kits/fold-0/checkpoints/latest"))?.steps;
 */
export async function readBundlePostprocessing(folder: string): Promise<BundlePostprocessing | undefined> {
  return readJsonRecord(join(folder, NAME), schema, { what: "the postprocessing", unreadable: "ERR_BUNDLE", malformed: "ERR_BUNDLE" });
}

/** Writes `postprocessing.json` into a bundle. */
export async function writeBundlePostprocessing(folder: string, content: BundlePostprocessing): Promise<void> {
  await writeAtomically(join(folder, NAME), [Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`)]);
}

/** Removes `postprocessing.json` from a bundle, where it has one. */
export async function removeBundlePostprocessing(folder: string): Promise<void> {
  await rm(join(folder, NAME), { force: true });
}
