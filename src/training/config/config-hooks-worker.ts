// Module hooks for config files; node:module runs them on a thread of its own.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { LoadHook, ResolveHook } from "node:module";
import { fileURLToPath } from "node:url";

const LIBRARY = new URL("../../index.js", import.meta.url).href;
/** Packages that a config's own parts share with this one, and that need not be installed beside the config. */
const SHARED = /^(rxjs|@tensorflow\/tfjs-(core|layers))(\/|$)/;
const TYPESCRIPT = /\.[cm]?ts$/;

/**
 * `voxstream` is always this very copy, wherever the config lies: a config's operators and the program that runs them must share their registers. A
 * TypeScript file may import its neighbors with `.js` endings, as TypeScript itself wants. TensorFlow.js and RxJS are also this package's, so that networks
 * and losses of one's own work wherever the config lies, and never with a second copy of another version.
 */
export const resolve: ResolveHook = async (specifier, context, next) => {
  if (specifier === "voxstream") return { url: LIBRARY, shortCircuit: true };
  if (SHARED.test(specifier) && !context.parentURL?.includes("/node_modules/")) return next(specifier, { ...context, parentURL: LIBRARY });
  if (/^\.{1,2}\/.*\.m?js$/.test(specifier) && context.parentURL && TYPESCRIPT.test(new URL(context.parentURL).pathname)) {
    const wanted = new URL(specifier, context.parentURL);
    const typed = new URL(wanted.href.replace(/js$/, "ts"));
    if (!existsSync(fileURLToPath(wanted)) && existsSync(fileURLToPath(typed))) return { url: typed.href, shortCircuit: true };
  }
  return next(specifier, context);
};

export const load: LoadHook = async (url, context, next) => {
  const { protocol, pathname } = new URL(url);
  if (protocol !== "file:" || !TYPESCRIPT.test(pathname) || pathname.includes("/node_modules/")) return next(url, context);
  const { transform } = await import("esbuild");
  const path = fileURLToPath(url);
  const { code } = await transform(await readFile(path, "utf8"), {
    loader: "ts",
    format: "esm",
    target: "node20",
    sourcefile: path,
    sourcemap: "inline",
  });
  return { format: "module", source: code, shortCircuit: true };
};
