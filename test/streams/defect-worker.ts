import { parentPort, workerData } from "node:worker_threads";
import * as streams from "../../src/streams/index.js";
import { scenarios } from "./scenarios/index.js";

/** Runs scenarios against the copy of the streams that it was bundled with, and reports the failures. */
const wanted: readonly string[] = workerData.scenarios;
const all = Object.assign({}, ...Object.values(scenarios)) as (typeof scenarios)[string];
const failures: Record<string, string> = {};
process.on("unhandledRejection", (error) => {
  failures["unhandled rejection"] = String(error);
});
for (const name of wanted) {
  const scenario = all[name];
  if (!scenario) throw new Error(`no scenario is named '${name}'`);
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("hangs")), workerData.timeout);
  });
  try {
    await Promise.race([scenario(streams), timeout]);
  } catch (error) {
    failures[name] = String((error as Error)?.message ?? error);
  }
  clearTimeout(timer);
}
await new Promise((resolve) => setTimeout(resolve, 5));
parentPort!.postMessage(failures);
