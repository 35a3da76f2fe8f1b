import type { Json } from "../../core/json.js";

/** JSON as a value, or undefined when the text is none: a file may be half-written while it is read. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // The caller shows "cannot be read" instead of a page that fails.
    return undefined;
  }
}
