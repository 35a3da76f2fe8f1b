import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { NativeAddon } from "./native.js";

/**
 * Where the addon may lie, from the package's root. What was built here comes first: a package from the registry has only the prebuilt one, and a prebuilt one
 * that a release left behind must not hide a newer build.
 */
export const ADDON_FILES: readonly string[] = ["native/build/Release/voxstream.node", `prebuilds/${process.platform}-${process.arch}/voxstream.node`];

export interface FoundAddon {
  readonly addon?: NativeAddon;
  /** The file of `ADDON_FILES` that it was loaded from. */
  readonly file?: string;
  /** Why there is none; empty when there is one. */
  readonly reason: string;
}

/** The first addon below `root` that loads and was built from the version of the package there. */
export function findAddon(root: string): FoundAddon {
  const require = createRequire(join(root, "package.json"));
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  let reason = "the addon was not built";
  for (const file of ADDON_FILES) {
    const path = join(root, file);
    if (!existsSync(path)) continue;
    try {
      const addon = require(path) as NativeAddon;
      // An older one lacks functions, and would fail in the middle of a run.
      if (addon.version === version) return { addon, file, reason: "" };
      reason = `${file} was built from version ${addon.version ?? "unknown"}, this is ${version} (npm run build:native)`;
    } catch (error) {
      reason = `${file} does not load: ${(error as Error).message}`;
    }
  }
  return { reason };
}
