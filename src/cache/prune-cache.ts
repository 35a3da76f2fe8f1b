import { requireOption } from "../core/errors.js";
import { openCaseStore } from "./open-case-store.js";

export interface PruneCacheOptions {
  /** Removes cases that no run has used for so many milliseconds; 0 removes all. */
  readonly unusedMs: number;
}

export interface PrunedCache {
  readonly cases: number;
  readonly bytes: number;
}

/**
 * Removes cases that nobody uses any more, and what killed processes left behind. The file keeps its size; its free pages serve later cases.
 *
 * @throws `ERR_OPTION`, `ERR_CACHE`
 */
export function pruneCache(folder: string, { unusedMs }: PruneCacheOptions): PrunedCache {
  requireOption(unusedMs >= 0, "pruneCache", "unusedMs", ">= 0", unusedMs);
  const store = openCaseStore(folder);
  let cases = 0;
  let bytes = 0;
  for (const { key, record, used } of [...store.cases()]) {
    if (Date.now() - used < unusedMs) continue;
    store.remove(key);
    cases++;
    bytes += record.bytes;
  }
  store.removeRemains();
  return { cases, bytes };
}
