import { spawnSync } from "node:child_process";
import { transpile } from "../scripts/transpile.mjs";
import { buildPage } from "./e2e/fixture/build-page.js";

/** Worker threads cannot load TypeScript on Node 20, so they run the transpiled copy in dist/, refreshed before every test run. */
export default async function setup(): Promise<void> {
  await transpile();
  // Here, and not when the first test wants it: others read dist/ meanwhile. One that cannot be built fails the tests that open it.
  await buildPage().catch((error: unknown) => console.error(error));
  // Checks the engines once here, instead of in every file that starts one at the same moment.
  spawnSync(process.execPath, ["--input-type=module", "-e", 'const { listEngines } = await import("./dist/engine/index.js"); await listEngines();'], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
