import { requireOption, VoxError } from "./errors.js";
import { nearestName } from "./nearest-name.js";

/**
 * Refuses options that nobody reads: a misspelled one would silently leave its default in force.
 *
 * @throws `ERR_OPTION` with the nearest known name
 */
export function requireKnownOptions(where: string, options: object, known: readonly string[]): void {
  requireOption(typeof options === "object" && options !== null, where, "options", "an object", options);
  const name = Object.keys(options).find((key) => !known.includes(key));
  if (name === undefined) return;
  const nearest = nearestName(name, known);
  throw new VoxError(`options must be of ${known.join(", ")}, got ${name}${nearest === undefined ? "" : `; did you mean ${nearest}?`}`, {
    code: "ERR_OPTION",
    where,
  });
}
