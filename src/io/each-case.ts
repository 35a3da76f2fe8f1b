import type { CaseRef, DataSet } from "../core/case.js";
import type { TaskRunner } from "../core/run-context.js";
import { elementCount } from "../core/shape.js";
import { readCaseHeader } from "./read-case-header.js";

/** What a worker gets of a data set. */
export interface CaseTask<O> {
  readonly ref: CaseRef;
  readonly classes: readonly string[];
  readonly channels: number;
  readonly options: O;
}

export interface EachCaseOptions<O, R> {
  readonly dataset: DataSet;
  readonly options: O;
  /** Looks at one case, here. */
  readonly local: (dataset: DataSet, ref: CaseRef, options: O) => Promise<R>;
  /** The same on another thread: an exported function of a module that takes a `CaseTask`. */
  readonly remote: { readonly url: string; readonly export: string };
  /** Threads; without them cases are read here, one at a time. Data sets with a reader of their own are always read here. */
  readonly tasks?: TaskRunner | undefined;
  /** Bytes of all cases that are read at once; a case that needs more is read alone. */
  readonly budget: number;
  /** In the order of the cases. */
  readonly onResult: (result: R, ref: CaseRef, done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks at every case of a data set, several at once within a budget of memory, and gives the results in the order of the cases.
 *
 * @throws what `dataset.list()` and looking at a case throw
 */
export async function eachCase<O, R>(settings: EachCaseOptions<O, R>): Promise<void> {
  const { dataset, options, local, remote, tasks, budget, onResult, signal } = settings;
  const refs = await dataset.list();
  const { classes, channels } = dataset;
  if (!tasks || dataset.read) {
    for (const [n, ref] of refs.entries()) {
      signal?.throwIfAborted();
      onResult(await local(dataset, ref, options), ref, n + 1, refs.length);
    }
    return;
  }
  /** Finished out of order, waiting for those in front. */
  const waiting = new Map<number, R>();
  const running = new Set<Promise<void>>();
  let held = 0;
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const start = (ref: CaseRef, at: number, bytes: number): void => {
    held += bytes;
    const payload: CaseTask<O> = { ref, classes, channels, options };
    const job = tasks
      .run("module", { ...remote, payload }, { bytes, ...(signal && { signal }) })
      .then((result) => {
        // The function of the module returns what its local form returns.
        waiting.set(at, result as R);
        for (; waiting.has(next); next++) {
          const value = waiting.get(next)!;
          waiting.delete(next);
          onResult(value, refs[next]!, next + 1, refs.length);
        }
      })
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        held -= bytes;
        running.delete(job);
      });
    running.add(job);
  };
  for (const [at, ref] of refs.entries()) {
    const bytes = await bytesOf(dataset, ref);
    while (running.size > 0 && !failure && (running.size >= tasks.concurrency || held + bytes > budget)) await Promise.race(running);
    if (failure || signal?.aborted) break;
    start(ref, at, bytes);
  }
  await Promise.all(running);
  if (failure) throw failure.error;
  signal?.throwIfAborted();
}

/** Image and label in memory; nothing for a case whose headers cannot be read. */
async function bytesOf({ classes }: DataSet, ref: CaseRef): Promise<number> {
  try {
    const { shape, label, labelDtype } = await readCaseHeader(ref, { classes });
    const voxels = shape[0] * shape[1] * shape[2];
    return elementCount(shape) * Float32Array.BYTES_PER_ELEMENT + (label ? voxels * (labelDtype === "uint8" ? 1 : 2) : 0);
  } catch {
    return 0;
  }
}
