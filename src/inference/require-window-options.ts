import { requireOption } from "../core/errors.js";
import { formatShape, type Triple } from "../core/shape.js";

export interface WindowOptions {
  /** Absent while it is open, with windows as large as the case. */
  readonly patch?: Triple;
  readonly overlap?: Triple;
  readonly weighting?: string;
  readonly batchSize?: number;
  readonly flips?: readonly number[];
}

/**
 * Checks how windows are laid and averaged, before a case is read.
 *
 * @throws `ERR_OPTION`
 */
export function requireWindowOptions(where: string, { patch, overlap, weighting = "constant", batchSize = 1, flips = [] }: WindowOptions): void {
  requireOption(weighting === "constant" || weighting === "gaussian", where, "weighting", '"constant" or "gaussian"', weighting);
  requireOption(Number.isInteger(batchSize) && batchSize >= 1, where, "batchSize", "an integer >= 1", batchSize);
  const areAxes = Array.isArray(flips) && flips.every((axis) => axis === 0 || axis === 1 || axis === 2);
  requireOption(areAxes, where, "flips", "axes 0, 1 or 2", flips);
  const isPatch = !patch || (Array.isArray(patch) && patch.length === 3 && patch.every((extent) => Number.isInteger(extent) && extent >= 1));
  requireOption(isPatch, where, "patch", "three integers >= 1", patch);
  if (overlap === undefined) return;
  const areIntegers = Array.isArray(overlap) && overlap.length === 3 && overlap.every((extent) => Number.isInteger(extent) && extent >= 0);
  const rule = patch ? `integers >= 0 below the patch ${formatShape(patch)}` : "three integers >= 0";
  requireOption(areIntegers && (!patch || overlap.every((extent, axis) => extent < patch[axis]!)), where, "overlap", rule, overlap);
}
