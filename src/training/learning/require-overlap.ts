import { VoxError } from "../../core/errors.js";
import { formatShape, type Triple } from "../../core/shape.js";
import type { TrainingConfig } from "../config/training-config.js";

/**
 * Checks the windows of whole validation cases, which would otherwise be refused only when the first ones validate, epochs later.
 *
 * @throws `ERR_CONFIG`
 */
export function requireOverlap({ validation }: TrainingConfig, patch: Triple | undefined): void {
  const { overlap } = validation?.cases ?? {};
  if (!overlap || !patch || overlap.every((shared, axis) => shared < patch[axis]!)) return;
  throw new VoxError(`validation.cases.overlap must be less than the patch ${formatShape(patch)} along each axis, got ${formatShape(overlap)}`, {
    code: "ERR_CONFIG",
    where: "config",
  });
}
