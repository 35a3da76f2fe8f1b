import { didYouMean } from "./did-you-mean.js";
import { requireOption, VoxError } from "./errors.js";

/**
 * Refuses options that nobody reads: a misspelled one would silently leave its default in force.
 *
 * @throws `ERR_OPTION` with the nearest known name
 */
export function requireKnownOptions(where: string, options: object, known: readonly string[]): void {
  requireOption(typeof options === "object" && options !== null, where, "options", "an object", options);
  const name = Object.keys(options).find((key) => !known.includes(key));
  if (name === undefined) return;
  throw new VoxError(`options must be of ${known.join(", ")}, got ${name}${didYouMean(name, known)}`, { code: "ERR_OPTION", where });
}
