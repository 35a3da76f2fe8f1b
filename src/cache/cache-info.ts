import { openCaseStore } from "./open-case-store.js";

export interface CacheInfo {
  readonly folder: string;
  readonly cases: number;
  /** Voxels and checksums of all cases. */
  readonly bytes: number;
  /** The environment's file; it keeps free pages for later cases. */
  readonly fileBytes: number;
}

/** @throws `ERR_CACHE` */
export function cacheInfo(folder: string): CacheInfo {
  const store = openCaseStore(folder);
  let cases = 0;
  let bytes = 0;
  for (const { record } of store.cases()) {
    cases++;
    bytes += record.bytes;
  }
  return { folder: store.folder, cases, bytes, fileBytes: store.fileBytes };
}
