import { nearestName } from "./nearest-name.js";

/** `; did you mean kidney?` behind a sentence about a name that is none of the known ones, or nothing where none is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? "" : `; did you mean ${nearest}?`;
}
