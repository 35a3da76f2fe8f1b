/** System errors that may pass by themselves: busy disks, network shares that were away for a moment, too many open files. */
const PASSING: ReadonlySet<string> = new Set(
  "EAGAIN EBUSY ECONNABORTED ECONNRESET EHOSTDOWN EHOSTUNREACH EINTR EIO EMFILE ENETDOWN ENETUNREACH ENFILE ENOLCK ESTALE ETIMEDOUT".split(" "),
);

/** Whether the same work may succeed a moment later. */
export function isTransient(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
  return (typeof code === "string" && PASSING.has(code)) || (cause !== undefined && cause !== error && isTransient(cause));
}
