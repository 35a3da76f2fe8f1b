// Where the package is installed from a registry: builds the native addon unless a prebuilt one of this version is there. In a checkout `prepare` does that.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildNative } from "./build-native.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
if (!existsSync(join(root, "src"))) {
  const { findAddon } = await import("../dist/kernels/find-addon.js");
  const reason = findAddon(root).addon ? undefined : buildNative();
  if (reason) console.error(`voxstream: the native addon could not be built (${reason}). Everything runs on the slower TypeScript kernels.`);
}
