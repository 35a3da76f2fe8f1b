import { InvalidArgumentError } from "commander";
import type { Triple } from "../core/shape.js";

/** `"48x96x96"` or `"48,96,96"` as depth, height, width. */
export function parseShape(text: string): Triple {
  const extents = text.split(/[x,]/).map(Number);
  if (extents.length !== 3 || extents.some((extent) => !Number.isSafeInteger(extent) || extent < 1)) {
    throw new InvalidArgumentError('must be depth, height and width, like "48x96x96"');
  }
  return [extents[0]!, extents[1]!, extents[2]!];
}
