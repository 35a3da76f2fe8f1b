import { formatBytes } from "../../core/bytes.js";
import { VoxError } from "../../core/errors.js";
import type { SlabPool } from "../../core/slab-pool.js";

/** How long memory that others hold is waited for. */
const PATIENCE_MS = 20_000;

/**
 * Resolves when the pool has room for `bytes`.
 *
 * @throws `ERR_MEMORY` when nobody gives enough back in time, `ERR_STOPPED` after an abort
 */
export function roomFor(pool: SlabPool, bytes: number, where: string, signal?: AbortSignal, patienceMs = PATIENCE_MS): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const end = (error?: VoxError): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      if (error) reject(error);
      else resolve();
    };
    const stop = (): void => end(new VoxError("the work was stopped", { code: "ERR_STOPPED", where, cause: signal?.reason }));
    const look = (): void => {
      if (!isOver && pool.ask(bytes, look)) end();
    };
    const timer = setTimeout(() => {
      const sentence = `${formatBytes(bytes)} of memory must become free within ${patienceMs / 1000} s, but ${formatBytes(pool.bytesInUse)} of ${formatBytes(pool.budget)} are in use`;
      end(new VoxError(sentence, { code: "ERR_MEMORY", where }));
    }, patienceMs);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    look();
  });
}
