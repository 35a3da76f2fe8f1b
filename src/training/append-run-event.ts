import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { errorMessage, VoxError } from "../core/errors.js";
import type { RunEventInput } from "./run-folder.js";

/**
 * Adds a line to the events of a run that is over, such as a prediction made with its model.
 *
 * @throws `ERR_WRITE`
 */
export function appendRunEvent(folder: string, input: RunEventInput): void {
  const path = join(folder, "events.jsonl");
  try {
    appendFileSync(path, `${JSON.stringify({ t: Date.now(), ...input })}\n`);
  } catch (error) {
    throw new VoxError(`the event cannot be written (${errorMessage(error)})`, { code: "ERR_WRITE", where: path, cause: error });
  }
}
