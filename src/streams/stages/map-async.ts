import { setTimeout as sleep } from "node:timers/promises";
import type { OperatorFunction } from "rxjs";
import { formatBytes } from "../../core/bytes.js";
import { errorMessage, requireOption, VoxError } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { release, retain } from "../../core/retain.js";
import type { SlabPool } from "../../core/slab-pool.js";
import { outsideHops } from "../hop.js";
import { isSampleFault } from "../is-sample-fault.js";
import { isTransient } from "../is-transient.js";
import type { Item } from "../item.js";
import type { Position } from "../position.js";
import { Skipped } from "../skipped.js";
import { stage } from "../stage.js";
import { stageError } from "../stage-error.js";
import type { ErrorOptions, StageOptions } from "../stage-options.js";
import type { WorkContext } from "../work-context.js";

export interface MapAsyncOptions<A> extends StageOptions, ErrorOptions {
  /** Jobs at once; `"tasks"` takes as many as the run's task pool has threads. */
  readonly concurrency?: number | "tasks";
  /** Items inside: waiting to run, running, waiting to leave. At least `concurrency`, which is its default. */
  readonly capacity?: number;
  /** `false` lets results leave as they come; a resumed run then repeats what had overtaken the oldest unfinished item. */
  readonly ordered?: boolean;
  /**
   * Bytes of pooled memory that a job will allocate; several numbers are pieces that need not lie side by side. It starts when the pool has room for them. Meant for the first stage of a graph: a later stage that
   * waits for memory while holding memory can end in a standstill (which is then reported).
   */
  readonly bytes?: (value: A) => number | readonly number[];
  /** Pooled memory that `bytes` leaves free for the stages after it. */
  readonly keepFree?: number;
  /** The pool that `bytes` asks; default: the run's. */
  readonly pool?: SlabPool;
  /** How often work is done again that failed with an error which may pass (`EIO`, `EMFILE`, a network share that is away). Default 0. */
  readonly retries?: number;
  /** What the stage counts of its own, for its reports. */
  readonly counters?: () => Readonly<Record<string, number>>;
}

/** Pause before the first retry; each further one is four times as long. */
const RETRY_MS = 200;

type State = "waiting" | "running" | "done" | "failed";

interface Slot<A, B> {
  readonly item: Item<A>;
  state: State;
  bytes: number;
  output?: B;
  error?: unknown;
}

/**
 * Asynchronous 1:1 work. Jobs start in the order of the items, and by default results leave in that order too, so the output depends on neither timing nor
 * concurrency. The memory of an input is held until its job has settled, also after a stop.
 *
 * @throws `ERR_OPTION`; in the run `ERR_STAGE` with the item when a job fails, `ERR_MEMORY` when `bytes` can never fit
 * @example
 * samples.pipe(mapAsync(async ({ id }, { signal }) => readFile(`labels/${id}.nii.gz`, { signal }), { name: "read", concurrency: 4 }))
 */
export function mapAsync<A, B>(work: (value: A, context: WorkContext) => B | Promise<B>, options: MapAsyncOptions<A> = {}): OperatorFunction<A, B> {
  requireOption(typeof work === "function", "mapAsync", "work", "a function of a value", work);
  requireKnownOptions("mapAsync", options, [
    "concurrency",
    "capacity",
    "ordered",
    "bytes",
    "keepFree",
    "pool",
    "retries",
    "counters",
    "name",
    "onError",
  ]);
  const {
    name = work.name || "mapAsync",
    concurrency = 1,
    capacity,
    ordered = true,
    onError,
    bytes,
    keepFree = 0,
    pool: ownPool,
    retries = 0,
    counters,
  } = options;
  requireOption(concurrency === "tasks" || isCount(concurrency), name, "concurrency", 'an integer >= 1 or "tasks"', concurrency);
  requireOption(capacity === undefined || isCount(capacity), name, "capacity", "an integer >= 1", capacity);
  requireOption(Number.isInteger(retries) && retries >= 0, name, "retries", "an integer >= 0", retries);
  requireOption(keepFree >= 0, name, "keepFree", ">= 0 bytes", keepFree);

  return stage<A, B>(name, (node) => {
    node.counters = counters;
    const { context } = node.graph;
    if (concurrency === "tasks" && !context) {
      throw new VoxError('concurrency must be a number in a run without context, got "tasks"', { code: "ERR_OPTION", where: node.name });
    }
    const jobs = concurrency === "tasks" ? context!.tasks.concurrency : concurrency;
    node.knobs = { concurrency: jobs, capacity: capacity ?? jobs };
    const pool = ownPool ?? context?.pool;
    if (bytes && !pool) throw new VoxError("bytes must come with a pool: give one, or run with a context", { code: "ERR_OPTION", where: node.name });
    const mode = onError ?? context?.onError ?? "fail";

    let slots: Slot<A, B>[] = [];
    /** In completion order: everything up to here has left. */
    let low: Position | undefined;
    // Called by whoever gives memory back, perhaps in the middle of a hop.
    const kick = (): void => {
      outsideHops(start);
      node.pump();
    };

    /** Bytes that running jobs were promised; some of them may be allocated already, so this errs on the safe side. */
    const promised = (): number => slots.reduce((sum, slot) => (slot.state === "running" ? sum + slot.bytes : sum), 0);

    function hasMemory(slot: Slot<A, B>): boolean {
      if (!bytes || !pool) return true;
      const asked = bytes(slot.item.value);
      slot.bytes = typeof asked === "number" ? asked : asked.reduce((sum, piece) => sum + piece, 0);
      if (slot.bytes + keepFree > pool.budget) {
        throw new VoxError(
          `an item of ${formatBytes(slot.bytes)} must fit the memory budget of ${formatBytes(pool.budget)}${keepFree > 0 ? ` less ${formatBytes(keepFree)} for later stages` : ""}`,
          { code: "ERR_MEMORY", where: node.name, sampleId: slot.item.id },
        );
      }
      const free = pool.ask(asked, kick, keepFree + promised());
      node.waitingFor = free
        ? undefined
        : `${formatBytes(slot.bytes)} of memory (${formatBytes(pool.bytesInUse)} of ${formatBytes(pool.budget)} are in use)`;
      return free;
    }

    function start(): void {
      if (node.closed) return;
      for (const slot of slots) {
        if (node.running >= node.knobs.concurrency!) return;
        if (slot.state !== "waiting") continue;
        try {
          if (!hasMemory(slot)) return;
        } catch (error) {
          slot.state = "failed";
          slot.error = error;
          release(slot.item.value);
          continue;
        }
        run(slot);
      }
    }

    function run(slot: Slot<A, B>): void {
      slot.state = "running";
      const settle = (): void => {
        // The input is freed only now that the work is really over.
        release(slot.item.value);
        if (node.closed && slot.state === "done") release(slot.output);
        start();
      };
      void node.work(
        slot.item,
        (workContext) => (retries === 0 ? work(slot.item.value, workContext) : persist(slot.item.value, workContext)),
        (output) => {
          retain(output);
          slot.state = "done";
          slot.output = output;
          settle();
        },
        (error) => {
          slot.state = "failed";
          slot.error = error;
          settle();
        },
      );
    }

    async function persist(value: A, workContext: WorkContext): Promise<B> {
      for (let tries = 0; ; tries++) {
        try {
          return await work(value, workContext);
        } catch (error) {
          if (tries >= retries || !isTransient(error) || workContext.signal.aborted) throw error;
          node.graph.warn(node.name, new Error(`sample ${workContext.id} is tried again after: ${errorMessage(error)}`));
          // An abort ends the pause, and the work itself refuses to begin.
          await sleep(RETRY_MS * 4 ** tries, undefined, { signal: workContext.signal }).catch(() => undefined);
        }
      }
    }

    const mayLeaveOut = (error: unknown): boolean => error instanceof Skipped || (mode === "skip" && isSampleFault(error));
    /** Failed items leave here, if they may; in ordered mode in their turn, so that reports are the same in every run. */
    function sweep(): void {
      for (let i = 0; i < slots.length; i++) {
        const { state, error, item } = slots[i]!;
        if (state === "failed" && mayLeaveOut(error)) {
          slots.splice(i--, 1);
          node.recordSkip(item, error);
        } else if (ordered) return;
      }
    }
    const isOver = (slot: Slot<A, B> | undefined): boolean => slot?.state === "done" || slot?.state === "failed";
    const head = (): number => (ordered ? (isOver(slots[0]) ? 0 : -1) : slots.findIndex(isOver));

    return {
      room: () => slots.length < Math.max(node.knobs.capacity!, node.knobs.concurrency!),
      push: (item) => {
        slots.push({ item, state: "waiting", bytes: 0 });
        start();
      },
      ready: () => {
        sweep();
        return head() >= 0;
      },
      pull: () => {
        const index = head();
        const slot = slots[index]!;
        if (slot.state === "failed") throw stageError(slot.error, node.name, slot.item.id);
        slots.splice(index, 1);
        start();
        if (!ordered) low = index === 0 ? slot.item.at : (low ?? node.graph.from);
        return { value: slot.output as B, id: slot.item.id, epoch: slot.item.epoch, at: ordered ? slot.item.at : low! };
      },
      size: () => slots.length,
      dispose: () => {
        for (const slot of slots) {
          if (slot.state === "waiting") release(slot.item.value);
          else if (slot.state === "done") release(slot.output);
        }
        slots = [];
        node.waitingFor = undefined;
      },
    };
  });
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}
