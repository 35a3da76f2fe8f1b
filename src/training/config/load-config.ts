import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { didYouMean } from "../../core/did-you-mean.js";
import { errorMessage, isVoxError, VoxError } from "../../core/errors.js";
import { distUrl } from "../dist-url.js";
import { type ComparisonConfig, defineComparison, variantConfig } from "./define-comparison.js";
import { defineConfig } from "./define-config.js";
import type { TrainingConfig } from "./training-config.js";

const EXTENSIONS: readonly string[] = [".mjs", ".js", ".ts", ".mts", ".cjs", ".cts"];
const HOOKED = Symbol.for("voxstream.config-hooks");

/** Lets this thread import config files: `voxstream` resolves to this package, and TypeScript is understood. */
function hookOnce(): void {
  const place = globalThis as { [HOOKED]?: boolean };
  if (place[HOOKED]) return;
  place[HOOKED] = true;
  register(distUrl("config/config-hooks-worker.js"));
}

/**
 * Loads a config file (`.js`, `.mjs` or `.ts`) by its path and checks it; its default export is the configuration. `file#name` is one variant of a file that
 * exports a comparison.
 *
 * @throws `ERR_CONFIG` when the file is missing, does not run, exports nothing, or has a wrong field
 * @example
 * const config = await loadConfig("kits19.config.ts");
 */
export async function loadConfig(path: string): Promise<TrainingConfig> {
  const { file, variant } = splitVariant(path);
  const content = await loadDefault(file);
  const isComparison = hasVariants(content);
  try {
    if (variant !== undefined) {
      if (isComparison) return variantConfig(content, variant);
      throw new VoxError(`the file must export defineComparison({ … }) to have the variant '${variant}', got a configuration`, {
        code: "ERR_CONFIG",
        where: "config",
      });
    }
    if (isComparison) {
      const [first] = Object.keys(content.variants);
      throw new VoxError(`the file holds a comparison; use voxstream compare, or one of its variants: ${file}#${first}`, {
        code: "ERR_CONFIG",
        where: "config",
      });
    }
    // defineConfig checks every field again, for files that export a plain object.
    return defineConfig(content as TrainingConfig);
  } catch (error) {
    throw isVoxError(error) ? inFile(file, error) : error;
  }
}

/**
 * Loads a file that exports a comparison.
 *
 * @throws `ERR_CONFIG` as `loadConfig`, or when the file exports a configuration
 * @example
 * const { variants } = await loadComparison("networks.config.mjs");
 */
export async function loadComparison(file: string): Promise<ComparisonConfig> {
  const content = await loadDefault(file);
  if (!hasVariants(content)) {
    throw new VoxError(
      "the file must export defineComparison({ base, variants }), or be one of several config files to compare, got one configuration",
      {
        code: "ERR_CONFIG",
        where: file,
      },
    );
  }
  try {
    return defineComparison(content);
  } catch (error) {
    throw isVoxError(error) ? inFile(file, error) : error;
  }
}

function hasVariants(content: unknown): content is ComparisonConfig {
  return typeof content === "object" && content !== null && "variants" in content;
}

/** `file#variant` in its parts; a file whose name holds the mark is taken as it is. */
function splitVariant(path: string): { readonly file: string; readonly variant: string | undefined } {
  const mark = path.lastIndexOf("#");
  return mark < 0 || existsSync(resolve(path)) ? { file: path, variant: undefined } : { file: path.slice(0, mark), variant: path.slice(mark + 1) };
}

async function loadDefault(path: string): Promise<unknown> {
  const full = resolve(path);
  if (!existsSync(full)) throw new VoxError("the config file must exist", { code: "ERR_CONFIG", where: path });
  if (statSync(full).isDirectory()) throw new VoxError("the config must be a file, got a folder", { code: "ERR_CONFIG", where: path });
  const extension = extname(full);
  if (!EXTENSIONS.includes(extension)) {
    throw new VoxError(`the config must be a .mjs, .js or .ts file, got ${extension === "" ? "one without an extension" : extension}`, {
      code: "ERR_CONFIG",
      where: path,
    });
  }
  hookOnce();
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(full).href)) as { readonly default?: unknown };
  } catch (error) {
    // Options are checked while the file runs; such errors already say what is wrong.
    if (isVoxError(error)) throw inFile(path, error);
    throw new VoxError(
      `the config file cannot be loaded: ${errorMessage(error).replaceAll(/\s*\n\s*/g, " ")}${await nearestExport(error)}${await placeOf(full, error)}`,
      {
        code: "ERR_CONFIG",
        where: path,
        cause: error,
      },
    );
  }
  if (module.default === undefined) {
    throw new VoxError("the config file must have a default export: export default defineConfig({ … })", { code: "ERR_CONFIG", where: path });
  }
  return module.default;
}

/** `; did you mean normalize?` behind JavaScript's own words about a name that `voxstream` does not have. */
async function nearestExport(error: unknown): Promise<string> {
  const message = errorMessage(error);
  const [, name] = /export named '(\w+)'/.exec(message) ?? /(?:^|\.)(\w+) is not (?:a function|defined)/.exec(message) ?? [];
  if (name === undefined) return "";
  return didYouMean(name, Object.keys((await import(distUrl("../index.js").href)) as object));
}

/** The same error, with the file that holds the mistake in front. */
function inFile(path: string, { message, code, cause }: VoxError): VoxError {
  return new VoxError(message.replace(/^(config|comparison): /, ""), { code, where: path, cause });
}

/** ` (line 7)`, where it can be told. */
async function placeOf(full: string, error: unknown): Promise<string> {
  const line = error instanceof SyntaxError ? await lineOfSyntaxError(full) : lineInStack(full, error);
  return line === undefined ? "" : ` (line ${line})`;
}

/** Node keeps the place of a syntax error to itself. */
async function lineOfSyntaxError(full: string): Promise<number | undefined> {
  const { transform } = await import("esbuild");
  try {
    await transform(await readFile(full, "utf8"), { format: "esm", logLevel: "silent" });
  } catch (failure) {
    return (failure as { errors?: { location?: { line: number } | null }[] }).errors?.[0]?.location?.line;
  }
  // It stands in a file that the config imports.
  return undefined;
}

function lineInStack(full: string, error: unknown): number | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const at = stack.indexOf(`${full}:`);
  return at < 0 ? undefined : Number.parseInt(stack.slice(at + full.length + 1), 10) || undefined;
}
