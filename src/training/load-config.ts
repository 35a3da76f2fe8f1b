import { existsSync } from "node:fs";
import { register } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { errorMessage, isVoxError, VoxError } from "../core/errors.js";
import { defineConfig } from "./define-config.js";
import { distUrl } from "./dist-url.js";
import type { TrainingConfig } from "./training-config.js";

const HOOKED = Symbol.for("voxstream.config-hooks");

/** Lets this thread import config files: `voxstream` resolves to this package, and TypeScript is understood. */
function hookOnce(): void {
  const place = globalThis as { [HOOKED]?: boolean };
  if (place[HOOKED]) return;
  place[HOOKED] = true;
  register(distUrl("config-hooks-worker.js"));
}

/**
 * Loads a config file (`.js`, `.mjs` or `.ts`) by its path and checks it; its default export is the configuration.
 *
 * @throws `ERR_CONFIG` when the file is missing, does not run, exports nothing, or has a wrong field
 * @example
 * const config = await loadConfig("kits19.config.ts");
 */
export async function loadConfig(path: string): Promise<TrainingConfig> {
  const full = resolve(path);
  if (!existsSync(full)) throw new VoxError("the config file must exist", { code: "ERR_CONFIG", where: path });
  hookOnce();
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(full).href)) as { readonly default?: unknown };
  } catch (error) {
    // Options are checked while the file runs; such errors already say what is wrong.
    if (isVoxError(error)) throw error;
    throw new VoxError(`the config file cannot be loaded: ${errorMessage(error)}`, { code: "ERR_CONFIG", where: path, cause: error });
  }
  if (module.default === undefined) {
    throw new VoxError("the config file must have a default export: export default defineConfig({ … })", { code: "ERR_CONFIG", where: path });
  }
  // defineConfig checks every field again, for files that export a plain object.
  return defineConfig(module.default as TrainingConfig);
}
