import { VoxError } from "../core/errors.js";

/**
 * Aborts on SIGTERM, SIGINT and SIGUSR2, which `mpirun` hands on to its ranks, so that a run saves a checkpoint and leaves; a second signal ends the process
 * at once, as without us. Returns the way to take the handlers away again.
 */
export function stopOnSignals(controller: AbortController): () => void {
  const handlers = (["SIGTERM", "SIGINT", "SIGUSR2"] as const).map((name) => {
    const handler = (): void => controller.abort(new VoxError(`stopped by ${name}`, { code: "ERR_STOPPED", where: "train" }));
    process.once(name, handler);
    return [name, handler] as const;
  });
  return () => {
    for (const [name, handler] of handlers) process.removeListener(name, handler);
  };
}
