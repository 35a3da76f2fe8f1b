import { VoxError } from "../core/errors.js";
import type { TaskPool } from "./create-task-pool.js";
import { findTask } from "./find-task.js";

/** Runs tasks on the calling thread: for tests, and for jobs too small to be worth a thread. */
export function inlineTaskPool(): TaskPool {
  const live = new Set<Promise<unknown>>();
  let isDestroyed = false;

  async function runInline(task: string, payload: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    const stopped = (): VoxError => new VoxError("the task was stopped", { code: "ERR_STOPPED", where: task, cause: signal?.reason });
    if (isDestroyed || signal?.aborted) throw stopped();
    // As in a worker, the caller goes on before the task begins.
    await new Promise((resolve) => setImmediate(resolve));
    const stop = (): boolean => isDestroyed || (signal?.aborted ?? false);
    if (stop()) throw stopped();
    const result = await findTask(task)(payload, { stop });
    if (stop()) throw stopped();
    return result;
  }

  return {
    concurrency: 1,
    run(task, payload, { signal } = {}) {
      const job = runInline(task, payload, signal);
      const forget = (): void => void live.delete(job);
      live.add(job);
      job.then(forget, forget);
      return job;
    },
    async destroy() {
      isDestroyed = true;
      await Promise.allSettled(live);
    },
  };
}
