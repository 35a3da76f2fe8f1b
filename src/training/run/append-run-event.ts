import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { VoxError } from "../../core/errors.js";
import { reasonOf } from "../../io/read-error.js";
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
    throw new VoxError(`the event cannot be written (${reasonOf(error)})`, { code: "ERR_WRITE", where: path, cause: error });
  }
}
