import { VoxError } from "../../core/errors.js";
import type { QuarantinedCase } from "../hosting/quarantine.js";
import { sharedError } from "./together.js";

export interface RequireSkipBudgetOptions {
  /** What each rank has told of its failed cases: the same on all ranks, so that all of them go on or none. */
  readonly told: readonly (readonly QuarantinedCase[])[];
  readonly trainingIds: readonly string[];
  readonly validationIds: readonly string[];
  readonly budget: number;
}

/**
 * Ends a training of several ranks when more cases have failed on all of them together than the run allows; each rank alone is watched by its graph.
 *
 * @throws `ERR_DATA`
 */
export function requireSkipBudget({ told, trainingIds, validationIds, budget }: RequireSkipBudgetOptions): void {
  if (told.length === 1) return;
  const failed = new Map(told.flat().map(({ id, message }) => [id, message]));
  for (const ids of [trainingIds, validationIds]) {
    const own = ids.filter((id) => failed.has(id));
    if (own.length <= budget) continue;
    throw sharedError(
      new VoxError(
        `at most ${budget} samples may fail on all ranks together (skipBudget), but ${own.length} did: ${own.slice(0, 10).join(", ")}; the last one because: ${failed.get(own.at(-1)!)}`,
        { code: "ERR_DATA", where: "trainer" },
      ),
    );
  }
}
