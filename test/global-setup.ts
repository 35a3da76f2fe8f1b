import { transpile } from "../scripts/transpile.mjs";

/** Worker threads cannot load TypeScript on Node 20, so they run the transpiled copy in dist/, refreshed before every test run. */
export default async function setup(): Promise<void> {
  await transpile();
}
