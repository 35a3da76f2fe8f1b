import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { errorMessage, VoxError } from "../core/errors.js";

/**
 * The bundles that a path means: the path itself, or, for the folder of a cross-validation, the bundle of each of its folds that predicted the held-out cases.
 *
 * @throws `ERR_BUNDLE` when a fold of the cross-validation is not trained yet
 * @example
 * await resolveBundles("runs/kits"); // ["runs/kits/fold-0/checkpoints/latest", …]
 */
export async function resolveBundles(path: string): Promise<readonly string[]> {
  const record = join(path, "cross-validation.json");
  if (existsSync(join(path, "bundle.json")) || !existsSync(record)) return [path];
  let identity: { readonly folds?: unknown; readonly checkpoint?: unknown; readonly scoring?: { readonly checkpoint?: unknown } };
  try {
    identity = JSON.parse(await readFile(record, "utf8")) as typeof identity;
  } catch (error) {
    throw new VoxError(`the file must be readable JSON: ${errorMessage(error)}`, { code: "ERR_BUNDLE", where: record, cause: error });
  }
  const folds = typeof identity.folds === "number" ? identity.folds : (await readdir(path)).filter((name) => /^fold-\d+$/.test(name)).length;
  // Earlier versions had it outside of the scoring.
  const checkpoint = (identity.scoring?.checkpoint ?? identity.checkpoint) === "best" ? "best" : "latest";
  return Array.from({ length: folds }, (_, fold) => {
    const own = join(path, `fold-${fold}`);
    const bundle = join(own, "checkpoints", checkpoint);
    if (existsSync(join(own, "fold.json")) && existsSync(join(bundle, "bundle.json"))) return bundle;
    throw new VoxError(
      `all ${folds} folds of a cross-validation must be trained before they predict together, but fold ${fold} is not; name the bundles of those that are, such as ${join(path, "fold-0", "checkpoints", checkpoint)}`,
      { code: "ERR_BUNDLE", where: path },
    );
  });
}
