import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildNative } from "./build-native.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

function step(name, file, args) {
  const result = spawnSync(process.execPath, [join(root, file), ...args], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (result.status !== 0) {
    console.error(`voxstream: ${name} failed`);
    process.exit(result.status ?? 1);
  }
}

step("the TypeScript build", "node_modules/typescript/bin/tsc", ["-p", "tsconfig.build.json"]);
step("the page build", "node_modules/vite/bin/vite.js", ["build", "--config", "src/server/page/vite.config.ts", "--logLevel", "warn"]);
const reason = buildNative();
if (reason) console.error(`voxstream: the native addon could not be built (${reason}). Everything runs on the slower TypeScript kernels.`);
