import type { ErrorCode } from "../core/error-codes.js";
import { isVoxError } from "../core/errors.js";

/** Faults of the run, not of one sample: going on with the next sample would only repeat them. */
const RUN_FAULTS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ERR_OPTION",
  "ERR_CONFIG",
  "ERR_MEMORY",
  "ERR_RELEASED",
  "ERR_STUCK",
  "ERR_PROTOCOL",
  "ERR_STOPPED",
  "ERR_CACHE",
  "ERR_ENGINE",
  "ERR_MODEL",
  "ERR_CHECKPOINT",
]);

/** Whether `onError: "skip"` may leave out the sample and go on. */
export function isSampleFault(error: unknown): boolean {
  return !isVoxError(error) || !RUN_FAULTS.has(error.code);
}
