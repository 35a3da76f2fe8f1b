import type { RunEvent } from "../../core/run-events.js";
import { readEvent } from "./read-event.js";

/** The event of one line of `events.jsonl`, or undefined when the line is none. */
export function parseEvent(line: string): RunEvent | undefined {
  try {
    return readEvent(JSON.parse(line));
  } catch {
    // Counted by the caller: half a line after a crash, or a byte gone bad, must not hide the rest of the run.
    return undefined;
  }
}
