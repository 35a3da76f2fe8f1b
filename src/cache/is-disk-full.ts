import { errorMessage } from "../core/errors.js";

/** Whether the cache could not be written for want of space: everything can be made again, so a run goes on without it. */
export function isDiskFull(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { readonly code?: number | string; readonly cause?: unknown };
  // LMDB passes on the system's code as a number: 5 is EIO, which a short write to a full disk gives, 28 is ENOSPC.
  if (code === 5 || code === 28 || code === "ENOSPC" || /MDB_MAP_FULL|no space/i.test(errorMessage(error))) return true;
  return code === "ERR_CACHE" && cause !== undefined && isDiskFull(cause);
}
