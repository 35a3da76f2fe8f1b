import { spawnSync } from "node:child_process";
import { transpile } from "../scripts/transpile.mjs";

/** Worker threads cannot load TypeScript on Node 20, so they run the transpiled copy in dist/, refreshed before every test run. */
export default async function setup(): Promise<void> {
  await transpile();
  // Checks the engines once here, instead of in every file that starts one at the same moment.
  spawnSync(process.execPath, ["--input-type=module", "-e", 'const { listEngines } = await import("./dist/engine/index.js"); await listEngines();'], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
