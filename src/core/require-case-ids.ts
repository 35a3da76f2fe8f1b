import type { CaseRef } from "./case.js";
import { describe, VoxError } from "./errors.js";

/**
 * Checks that each case has an id of its own that can be the name of a file: predictions and pictures are called after it, and must not land in another
 * folder.
 *
 * @throws `ERR_DATA`
 */
export function requireCaseIds(cases: readonly CaseRef[], where: string): void {
  const ids = new Set<string>();
  for (const { id } of cases) {
    if (ids.has(id)) throw new VoxError(`each case must have an id of its own, got ${id} twice`, { code: "ERR_DATA", where });
    if (typeof id !== "string" || id === "" || /[\\/\0]/.test(id) || id === "." || id === "..") {
      throw new VoxError(`the id of a case must be usable as a file name, without / and \\, got ${describe(id)}`, { code: "ERR_DATA", where });
    }
    ids.add(id);
  }
}
