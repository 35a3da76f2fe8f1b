import { once } from "node:events";
import { availableParallelism } from "node:os";
import type { ResourceLimits, Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import { errorFromWire, errorMessage, requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { TaskRunner } from "../core/run-context.js";
import { inlineTaskPool } from "./inline-task-pool.js";
import { CONTROL, type TaskAnswer, type TaskMessage } from "./task-message.js";

export interface TaskPoolOptions {
  /** Worker threads; 0 runs tasks on the calling thread. Default: one fewer than the machine has cores. */
  readonly threads?: number;
  /**
   * How often a task is run again whose thread died under it. A task that overwrites its own input cannot simply be run again: it keeps a mark in shared memory
   * and refuses.
   */
  readonly retries?: number;
  /**
   * A running task that has not called `stop()` for so many milliseconds is taken for dead and its thread is ended; one that was told to stop, after 2 s.
   * Tasks that say how many bytes they go through get a second more for each 2 MB: single steps on large volumes are silent for long.
   */
  readonly stallTimeout?: number;
  /** JavaScript heap of each thread; a task that needs more fails with `ERR_WORKER` instead of taking the process down. */
  readonly heapMegabytes?: number;
}

/** Threads that run tasks by name. */
export interface TaskPool extends TaskRunner {
  /** Stops what is running, waits for it, and ends the threads. */
  destroy(): Promise<void>;
}

/**
 * New objects of a thread: V8 would let them grow to 48 MB before it looks what of them is still in use. Tasks work on pooled memory and make few objects.
 */
const YOUNG_MB = 3;

/** How long `destroy()` waits for tasks that do not look at their stop flag. */
const GRACE_MS = 5_000;

/** How long `destroy()` waits for threads that are still starting. */
const START_MS = 10_000;

/** A quarter of the speed of cubic resampling without the addon. */
const BYTES_PER_MS = 2_000;

/** How long a task that was told to stop may go on without looking at its flag, where stalls are watched. */
const STOP_MS = 2_000;

/** Worker threads cannot load TypeScript on Node 20, so from the sources (under test) they run the transpiled copy. */
const ENTRY = new URL(import.meta.url.endsWith(".ts") ? "../../dist/workers/task-worker.js" : "./task-worker.js", import.meta.url).href;

/**
 * Starts worker threads that run tasks by name.
 *
 * A task is stopped by a flag in shared memory, and its promise settles only when its thread has let go of the memory that it was given: a Piscina abort
 * would reject while the dying thread still writes. A thread that dies is replaced, and its task is run again; a task that kills its thread twice fails.
 *
 * @throws `ERR_OPTION`; from `run`: what the task throws, `ERR_STOPPED` after an abort, `ERR_WORKER` when its thread dies
 * @example
 * const tasks = createTaskPool({ threads: 4 });
 * const data = new Float32Array(new SharedArrayBuffer(16));
 * await tasks.run("module", { url: new URL("./invert.mjs", import.meta.url).href, export: "invert", payload: { data } });
 * await tasks.destroy();
 */
export function createTaskPool({
  threads = Math.max(1, availableParallelism() - 1),
  retries = 1,
  stallTimeout = Number.POSITIVE_INFINITY,
  heapMegabytes,
  ...unknown
}: TaskPoolOptions = {}): TaskPool {
  requireKnownOptions("createTaskPool", unknown, ["threads", "retries", "stallTimeout", "heapMegabytes"]);
  requireOption(Number.isInteger(threads) && threads >= 0 && threads <= 1024, "createTaskPool", "threads", "an integer from 0 to 1024", threads);
  requireOption(Number.isInteger(retries) && retries >= 0, "createTaskPool", "retries", "an integer >= 0", retries);
  requireOption(stallTimeout > 0, "createTaskPool", "stallTimeout", "> 0 ms", stallTimeout);
  requireOption(heapMegabytes === undefined || heapMegabytes > 0, "createTaskPool", "heapMegabytes", "> 0", heapMegabytes);
  if (threads === 0) return inlineTaskPool();

  const resourceLimits: ResourceLimits = {
    maxYoungGenerationSizeMb: YOUNG_MB,
    ...(heapMegabytes !== undefined && { maxOldGenerationSizeMb: heapMegabytes }),
  };
  const pool = new Piscina({
    filename: ENTRY,
    name: "taskWorker",
    minThreads: threads,
    maxThreads: threads,
    recordTiming: false,
    resourceLimits,
  });
  /** Raise the stop flags of the tasks in flight. */
  const stops = new Set<() => void>();
  const live = new Set<Promise<unknown>>();
  let isDestroyed = false;

  /** Threads by id, with the promise of their end. */
  const workers = new Map<number, { readonly worker: Worker; readonly ended: Promise<unknown> }>();
  /** Threads that have loaded their entry. The first ones say so themselves, of later ones Piscina tells. */
  const ready = new Set<number>();
  const first = new Set<number>();
  for (const worker of pool.threads) {
    const { threadId } = worker;
    first.add(threadId);
    worker.once("message", () => ready.add(threadId));
  }
  pool.on("workerCreate", ({ id }: { readonly id: number }) => {
    if (!first.has(id)) ready.add(id);
  });
  const register = (): void => {
    for (const worker of pool.threads) {
      const { threadId } = worker;
      if (threadId < 0 || workers.has(threadId)) continue;
      const ended = once(worker, "exit").catch(() => undefined);
      workers.set(threadId, { worker, ended });
      void ended.then(() => workers.delete(threadId));
    }
  };
  register();
  pool.on("workerCreate", register);
  /** Fail the tasks in flight. Piscina gives up threads that fail while they start, and would leave tasks waiting for ever. */
  const breakers = new Set<(error: VoxError) => void>();
  let broken: VoxError | undefined;
  pool.on("error", (error: unknown) => {
    if (pool.threads.length > 0) {
      // An error outside any task: the thread is replaced, nothing is lost.
      process.emitWarning(`a worker thread failed between tasks: ${errorMessage(error)}`, "VoxstreamWarning");
      return;
    }
    broken = new VoxError(`worker threads must be able to start, but ${errorMessage(error)}`, {
      code: "ERR_WORKER",
      where: "createTaskPool",
      cause: error,
    });
    for (const fail of breakers) fail(broken);
  });

  /**
   * Resolves when no thread is starting. One that is ended while it loads its entry takes the process with it: Node 20's synchronous loading of modules ends
   * in "FATAL ERROR: v8::Module::IsGraphAsync".
   */
  async function started(): Promise<void> {
    const isStarting = (): boolean => pool.threads.some(({ threadId }) => threadId >= 0 && !ready.has(threadId));
    const began = performance.now();
    while (!broken && isStarting() && performance.now() - began < START_MS) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  const stopped = (task: string, cause?: unknown): VoxError => new VoxError("the task was stopped", { code: "ERR_STOPPED", where: task, cause });

  /** Ends the thread of a task that shows no sign of life. */
  function watch(control: Int32Array, limit: number, onStall: (patience: number) => void): () => void {
    const everyMs = Math.min(1_000, stallTimeout / 4);
    let beat = -1;
    let silentMs = 0;
    let lookedAt = performance.now();
    const look = (): void => {
      const now = performance.now();
      // A look that comes late says that this process stood still, and then its threads did too: Ctrl-Z, a machine without a processor to spare.
      silentMs += Math.min(now - lookedAt, 2 * everyMs);
      lookedAt = now;
      const thread = Atomics.load(control, CONTROL.thread);
      const latest = Atomics.load(control, CONTROL.beat);
      const patience = Atomics.load(control, CONTROL.stop) === 0 ? limit : Math.min(limit, STOP_MS);
      if (thread === 0 || latest !== beat) {
        beat = latest;
        silentMs = 0;
      } else if (silentMs > patience) {
        onStall(patience);
        void workers.get(thread)?.worker.terminate();
      }
    };
    const timer = setInterval(look, everyMs);
    return () => clearInterval(timer);
  }

  /** Runs a task once. Resolves, too, when its thread dies, and then only after the thread has really ended: until then it may write. */
  async function attempt(
    task: string,
    payload: unknown,
    control: Int32Array,
    bytes: number,
  ): Promise<TaskAnswer | { readonly death: VoxError; readonly mayRetry: boolean }> {
    let stalledFor: number | undefined;
    const endWatch = Number.isFinite(stallTimeout)
      ? watch(control, stallTimeout + bytes / BYTES_PER_MS, (patience) => (stalledFor = patience))
      : undefined;
    const message: TaskMessage = { task, payload, control };
    let breaker: ((error: VoxError) => void) | undefined;
    try {
      return await new Promise<TaskAnswer>((resolve, reject) => {
        breaker = reject;
        breakers.add(reject);
        pool.run(message).then(resolve, reject);
      });
    } catch (error) {
      if (error === broken) throw error;
      await workers.get(Atomics.load(control, CONTROL.thread))?.ended;
      const isResult = Atomics.load(control, CONTROL.returned) !== 0;
      if (isResult || (error as Error).name === "DataCloneError") {
        const sentence = isResult
          ? "the result of a task must be plain data"
          : `the payload of a task must be plain data, got: ${errorMessage(error)}`;
        return { death: new VoxError(sentence, { code: "ERR_WORKER", where: task, cause: error }), mayRetry: false };
      }
      const reason = stalledFor !== undefined ? `it showed no sign of life for ${stalledFor} ms` : errorMessage(error);
      return {
        death: new VoxError(`the task must not end its thread, but ${reason}`, { code: "ERR_WORKER", where: task, cause: error }),
        mayRetry: true,
      };
    } finally {
      breakers.delete(breaker!);
      endWatch?.();
    }
  }

  async function runTask(task: string, payload: unknown, signal: AbortSignal | undefined, bytes: number): Promise<unknown> {
    let control: Int32Array | undefined;
    let isStopped = isDestroyed || (signal?.aborted ?? false);
    const stop = (): void => {
      isStopped = true;
      if (control) Atomics.store(control, CONTROL.stop, 1);
    };
    stops.add(stop);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      for (let tries = 0; ; tries++) {
        if (isStopped) throw stopped(task, signal?.reason);
        if (broken) throw broken;
        control = new Int32Array(new SharedArrayBuffer(CONTROL.length * Int32Array.BYTES_PER_ELEMENT));
        const answer = await attempt(task, payload, control, bytes);
        // What a task returns after it was told to stop may be half done.
        if (isStopped) throw stopped(task, signal?.reason);
        if ("result" in answer) return answer.result;
        if ("error" in answer) throw errorFromWire(answer.error);
        if (tries >= retries || !answer.mayRetry) throw answer.death;
      }
    } finally {
      stops.delete(stop);
      signal?.removeEventListener("abort", stop);
    }
  }

  return {
    concurrency: threads,
    run(task, payload, { signal, bytes = 0 } = {}) {
      const promise = runTask(task, payload, signal, bytes);
      const forget = (): void => void live.delete(promise);
      live.add(promise);
      promise.then(forget, forget);
      return promise;
    },
    async destroy() {
      isDestroyed = true;
      for (const stop of stops) stop();
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, GRACE_MS);
      });
      await Promise.race([Promise.allSettled(live), grace]);
      clearTimeout(timer);
      await started();
      await pool.destroy();
      await Promise.allSettled(live);
    },
  };
}
