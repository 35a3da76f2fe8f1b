import type { MonoTypeOperatorFunction } from "rxjs";
import { VoxError } from "../../core/errors.js";
import type { CaseItem } from "../../operators/load/case-item.js";
import { type Item, stage } from "../../streams/index.js";

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
  return stage<CaseItem, CaseItem>("quarantine", (node) => {
    let held: Item<CaseItem> | undefined;
    return {
      room: () => !held,
      push: (item) => {
        const why = cases.get(item.value.id);
        if (why === undefined) held = item;
        else
          node.skip(item, new VoxError(`left out as it failed before: ${why}`, { code: "ERR_DATA", where: "quarantine", sampleId: item.value.id }));
      },
      ready: () => held !== undefined,
      pull: () => {
        const item = held;
        held = undefined;
        return item;
      },
      size: () => (held ? 1 : 0),
      dispose: () => {
        held = undefined;
      },
    };
  });
}
