import { randomBytes } from "node:crypto";
import type { DataSet } from "../core/case.js";
import { makeFolder } from "../core/make-folder.js";
import { writeError } from "../io/read-error.js";
import { type Dashboard, type DashboardCase, dashboardThread } from "../server/index.js";
import type { CommandOutput } from "./command-output.js";

/** What may be looked at beside the runs. */
export interface ServeRunsData {
  /** Folders of cases in a layout that the dashboard knows. */
  readonly folders?: readonly string[];
  /** The data set that is trained on: exactly its files. */
  readonly set?: DataSet;
}

/**
 * Serves the live page of a folder of runs from a thread of its own and prints its address, with a token of its own with which the page can pause, save or
 * stop the training; does nothing without `--dashboard`.
 */
export async function serveRuns(
  wish: boolean | number | undefined,
  runs: string,
  output: CommandOutput,
  { folders = [], set }: ServeRunsData = {},
): Promise<Dashboard | undefined> {
  if (wish === undefined || wish === false) return undefined;
  try {
    makeFolder(runs);
  } catch (error) {
    throw writeError(runs, error);
  }
  const token = controlToken();
  const port = typeof wish === "number" ? wish : 0;
  const dashboard = await dashboardThread({ runs, data: folders, cases: set ? await casesOf(set) : [], controlToken: token, port });
  output.note(`dashboard: ${addressWithToken(dashboard.url, token)}`);
  return dashboard;
}

/** A token that nobody guesses: 128 bits. */
export function controlToken(): string {
  return randomBytes(16).toString("base64url");
}

/** The address to open: the page takes the token out of it at once. It never reaches the server in an address, and no log. */
export function addressWithToken(url: string, token: string): string {
  return `${url}#token=${token}`;
}

/** The first image and the label map of each case; what is behind a reader of the user's own is no file that could be shown. */
async function casesOf(set: DataSet): Promise<readonly DashboardCase[]> {
  if (set.read) return [];
  const refs = await set.list();
  return refs.map(({ id, images: [image], label, reading }) => ({
    id,
    ...(image !== undefined && { image }),
    ...(label !== undefined && { label }),
    ...(reading && { reading }),
  }));
}
