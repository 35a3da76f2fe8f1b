import { requireOption } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";

/** `--shape` as depth, height and width, or the standard shape of a case. */
export function benchShape(given: readonly number[] | undefined, standard: Triple): Triple {
  if (!given) return standard;
  requireOption(given.length === 3 && given.every((extent) => extent >= 2), "bench", "shape", "three extents >= 2", given);
  return [given[0]!, given[1]!, given[2]!];
}
