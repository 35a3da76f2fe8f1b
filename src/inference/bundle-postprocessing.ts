import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { errorMessage, VoxError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import { writeAtomically } from "../io/write-atomically.js";
import type { PostprocessingStep } from "./postprocessing-step.js";

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
  const path = join(folder, NAME);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as { code?: string }).code ?? "")) return undefined;
    throw new VoxError(`the postprocessing must be readable JSON: ${errorMessage(error)}`, { code: "ERR_BUNDLE", where: path, cause: error });
  }
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new VoxError(`the postprocessing must be as it was written, but ${issue!.path.join(".") || "it"}: ${issue!.message}`, {
    code: "ERR_BUNDLE",
    where: path,
  });
}

/** Writes `postprocessing.json` into a bundle. */
export async function writeBundlePostprocessing(folder: string, content: BundlePostprocessing): Promise<void> {
  await writeAtomically(join(folder, NAME), [Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`)]);
}
