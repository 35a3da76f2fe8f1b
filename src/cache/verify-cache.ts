import { setImmediate as nextTurn } from "node:timers/promises";
import { openCaseStore } from "./open-case-store.js";

export interface VerifyCacheOptions {
  /** Removes damaged cases, so that they are made again. Default true. */
  readonly remove?: boolean;
}

export interface CacheDamage {
  readonly key: string;
  readonly id: string;
  /** Chunks that are gone or whose checksum does not fit. */
  readonly damagedChunks: number;
}

/**
 * Reads every chunk of every case and compares checksums.
 *
 * @returns the damaged cases
 * @throws `ERR_CACHE`
 */
export async function verifyCache(folder: string, { remove = true }: VerifyCacheOptions = {}): Promise<CacheDamage[]> {
  const store = openCaseStore(folder);
  const found: CacheDamage[] = [];
  for (const { key, record } of [...store.cases()]) {
    const damagedChunks = store.damage(key);
    if (damagedChunks > 0) {
      found.push({ key, id: record.id, damagedChunks });
      if (remove) store.remove(key);
    }
    await nextTurn();
  }
  return found;
}
