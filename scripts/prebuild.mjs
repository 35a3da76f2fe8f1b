// Copies the addon that was built here to where the package looks for a prebuilt one: prebuilds/<platform>-<arch>/voxstream.node.
// One file serves every processor of the platform (the instruction set is chosen at run time) and every Node from 20 (N-API 8).
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildNative } from "./build-native.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const reason = buildNative();
if (reason) {
  console.error(`prebuild: the addon was not built (${reason})`);
  process.exit(1);
}
const built = join(root, "native/build/Release/voxstream.node");
const folder = join(root, "prebuilds", `${process.platform}-${process.arch}`);
mkdirSync(folder, { recursive: true });
copyFileSync(built, join(folder, "voxstream.node"));
const { isa } = createRequire(import.meta.url)(join(folder, "voxstream.node"));
if (!existsSync(join(folder, "voxstream.node")) || typeof isa !== "string") process.exit(1);
console.error(`prebuild: ${join(folder, "voxstream.node")} (runs ${isa} here)`);
