import { constants, type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { RunRequest } from "../../core/run-events.js";
import { httpError } from "../http-error.js";

/** A training empties the file when it begins; more than this is no use of ours. */
const MOST_BYTES = 1 << 20;
/** Never through a link, and never waiting for the other end of a pipe. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Appends one line to `control.jsonl` in a run's folder, the only file that the dashboard writes. */
export async function appendRequest(folder: string, request: RunRequest): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(join(folder, "control.jsonl"), FLAGS, 0o644);
    const found = await file.stat();
    if (!found.isFile() || found.size > MOST_BYTES) throw httpError(409, "dashboard", "control.jsonl of the run must be a small file");
    // A line that was left without its end would swallow this one.
    await file.appendFile(`${found.size > 0 ? "\n" : ""}${JSON.stringify(request)}\n`);
  } catch (error) {
    if (error instanceof Error && "statusCode" in error) throw error;
    throw httpError(409, "dashboard", "the run's folder cannot be written from here");
  } finally {
    await file?.close();
  }
}
