import type { MonoTypeOperatorFunction } from "rxjs";
import { VoxError } from "../../core/errors.js";
import type { CaseItem } from "../../operators/load/case-item.js";
import { skipWhen } from "../../streams/index.js";

/** A case that failed for good, and why. Plain JSON: checkpoints keep it. */
export interface QuarantinedCase {
  readonly id: string;
  readonly message: string;
}

/**
 * Leaves out the cases that have failed before, without trying them again, and counts each against the skip budget. Cases that fail later may be added to the
 * map while it runs.
 */
export function quarantine(cases: ReadonlyMap<string, string>): MonoTypeOperatorFunction<CaseItem> {
  const failure = ({ id }: CaseItem): VoxError | undefined => {
    const why = cases.get(id);
    if (why === undefined) return undefined;
    return new VoxError(`left out as it failed before: ${why}`, { code: "ERR_DATA", where: "quarantine", sampleId: id });
  };
  return skipWhen(failure, { name: "quarantine" });
}
