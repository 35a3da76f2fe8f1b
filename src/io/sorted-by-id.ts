import type { CaseRef } from "../core/case.js";
import { requireCaseIds } from "../core/require-case-ids.js";

/** Sorted by code units: the same on every machine, whatever its language. */
export function sortedById(cases: readonly CaseRef[], root: string): readonly CaseRef[] {
  const sorted = [...cases].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  requireCaseIds(sorted, root);
  return sorted;
}
