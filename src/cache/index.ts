export { type CacheInfo, cacheInfo } from "./cache-info.js";
export type { ArrayRecord, CaseRecord } from "./case-record.js";
export { type CaseArrays, CaseStore, type StoredCase } from "./case-store.js";
export { isDiskFull } from "./is-disk-full.js";
export { type CachedCase, listCache } from "./list-cache.js";
export { closeCaseStores, openCaseStore } from "./open-case-store.js";
export { type PruneCacheOptions, type PrunedCache, pruneCache } from "./prune-cache.js";
export { StoredVolume } from "./stored-volume.js";
export { type CacheDamage, type VerifyCacheOptions, verifyCache } from "./verify-cache.js";
