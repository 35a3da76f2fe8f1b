import { makeFolder } from "../core/make-folder.js";
import { writeError } from "../io/read-error.js";
import { type Dashboard, dashboardThread } from "../server/index.js";
import type { CommandOutput } from "./command-output.js";

/** Serves the live page of a folder of runs from a thread of its own and prints its address; does nothing without `--dashboard`. */
export async function serveRuns(
  wish: boolean | string | undefined,
  runs: string,
  output: CommandOutput,
  data: readonly string[] = [],
): Promise<Dashboard | undefined> {
  if (wish === undefined || wish === false) return undefined;
  try {
    makeFolder(runs);
  } catch (error) {
    throw writeError(runs, error);
  }
  const dashboard = await dashboardThread({ runs, data, port: typeof wish === "string" ? Number(wish) : 0 });
  output.note(`dashboard: ${dashboard.url}`);
  return dashboard;
}
