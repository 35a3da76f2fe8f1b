import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import { type Observable, type OperatorFunction, tap } from "rxjs";
import { openCaseStore } from "../../cache/open-case-store.js";
import type { StoredVolume } from "../../cache/stored-volume.js";
import type { Batch } from "../../core/batch.js";
import { Block } from "../../core/block.js";
import { requireOption, VoxError } from "../../core/errors.js";
import { Random } from "../../core/random.js";
import type { RunContext } from "../../core/run-context.js";
import type { Shape4, Shape5, Triple } from "../../core/shape.js";
import { askingDemand } from "../../streams/hop.js";
import { batchOf } from "../../streams/stages/batch-of.js";
import { fanOut } from "../../streams/stages/fan-out.js";
import { mapAsync } from "../../streams/stages/map-async.js";
import { source } from "../../streams/stages/source.js";
import { RETRIES } from "../chain-stage.js";
import type { CaseItem } from "../load/case-item.js";
import { openCase } from "../load/open-case.js";
import { descriptionOf, operatorKey } from "../operator-link.js";
import { withRunContext } from "../with-run-context.js";
import type { CachePlace } from "./cached-cases.js";
import { caseKey } from "./case-key.js";
import { isDamage, PreparedSet, storedParts } from "./prepared-set.js";

/** One batch on its way out of the store. */
interface Wanted {
  readonly set: PreparedSet;
  readonly index: number;
  readonly epoch: number;
  readonly bytes: number;
}

/** Hashes are looked up or made for so many cases at once. */
const LOOKED_AT_ONCE = 8;

/**
 * Keeps finished batches: epoch e takes those of pass e mod `passes`, which are what the operators make in that epoch. A pass comes in its own order first,
 * while it is being made, and in orders drawn from (seed, epoch) afterwards; outside training always in its own.
 */
export function preparedBatches(
  operators: readonly OperatorFunction<never, unknown>[],
  { folder, limit }: CachePlace,
  passes: number,
): OperatorFunction<CaseItem, Batch> {
  requireOption(Number.isSafeInteger(passes) && passes >= 1, "cached", "passes", "a whole number >= 1", passes);
  const first = operators[0] && descriptionOf(operators[0]);
  requireOption(first !== undefined && "load" in first, "cached", "the first operator", "load()", operators[0]?.name);
  const recipe = { load: first.load, links: [], image: "float32" } as const;
  const keys = operators.map((operator) => {
    const key = operatorKey(operator);
    requireOption(
      key !== undefined,
      "cached",
      "each operator",
      "built in, or a transform with module: the code of other functions cannot be part of a key",
      operator.name || operator,
    );
    return key;
  });
  return withRunContext<CaseItem, Batch>("cached", (context) => {
    const store = openCaseStore(folder);
    // Built while the stage behind subscribes.
    const { graph } = askingDemand()!;
    const sets = new Map<string, PreparedSet>();

    async function setOf(items: readonly CaseItem[], pass: number, signal: AbortSignal): Promise<PreparedSet> {
      // All files of the cases that are looked at together listen for the end; Node takes more than ten listeners for a leak, and warns.
      setMaxListeners(0, signal);
      const sorted = [...items].sort((a, b) => (a.id < b.id ? -1 : 1));
      const cases: string[] = [];
      for (let at = 0; at < sorted.length; at += LOOKED_AT_ONCE) {
        const some = sorted.slice(at, at + LOOKED_AT_ONCE).map(async (item) => {
          const open = item.data.read ? await openCase(item, context.mode) : undefined;
          const custom = open && "custom" in open.voxels ? open.voxels.custom : undefined;
          // Batches remember ids, so they are part of the key here.
          return `${item.id} ${await caseKey(item, recipe, context, store, custom, signal)}`;
        });
        cases.push(...(await Promise.all(some)));
      }
      const text = JSON.stringify([cases, keys, context.seed, context.mode, pass]);
      const key = createHash("sha256").update(text).digest("hex").slice(0, 32);
      let set = sets.get(key);
      if (!set) {
        const flow = (): Observable<Batch> => flowOf(operators, sorted, pass, context);
        set = new PreparedSet({ store, key, limit, flow, begin: { cases: pass * sorted.length }, context, graph });
        sets.set(key, set);
      }
      return set;
    }

    async function* wanted({ items, epoch }: EpochItems, signal: AbortSignal): AsyncGenerator<Wanted> {
      const set = await setOf(items, epoch % passes, signal);
      const stop = (): void => void set.stop();
      signal.addEventListener("abort", stop, { once: true });
      const want = (index: number): Wanted => ({ set, index, epoch, bytes: bytesOf(set, index) });
      try {
        if (epoch < passes || context.mode !== "training") {
          for (let index = 0; await set.has(index); index++) yield want(index);
          return;
        }
        const order = Array.from({ length: await set.count() }, (_, index) => index);
        for (const index of new Random(context.seed, epoch, "cached").shuffle(order)) yield want(index);
      } finally {
        signal.removeEventListener("abort", stop);
        await set.stop();
      }
    }

    async function fetch({ set, index, epoch }: Wanted, signal: AbortSignal): Promise<Batch> {
      for (let isSecond = false; ; isSecond = true) {
        try {
          return readBatch(set, index, epoch, context);
        } catch (error) {
          if (isSecond || !isDamage(error)) throw error;
          await set.mend(signal);
        }
      }
    }

    return (flow) =>
      flow.pipe(
        requireDistinct(),
        batchOf<CaseItem, EpochItems>({
          size: Number.MAX_SAFE_INTEGER,
          name: "cached.epoch",
          collate: (items, [at]) => ({ items, epoch: at!.epoch }),
        }),
        fanOut((epoch: EpochItems, { signal }) => wanted(epoch, signal), { name: "cached.order", onError: "fail" }),
        mapAsync((one: Wanted, { signal }) => fetch(one, signal), { name: "cached", onError: "fail", retries: RETRIES, bytes: ({ bytes }) => bytes }),
      );
  });
}

interface EpochItems {
  readonly items: readonly CaseItem[];
  readonly epoch: number;
}

/** The flow of one epoch as it would be without the cache: the order of `cases`, the draws of that epoch. */
function flowOf(
  operators: readonly OperatorFunction<never, unknown>[],
  sorted: readonly CaseItem[],
  pass: number,
  { seed, mode }: RunContext,
): Observable<Batch> {
  const ordered = mode === "training" ? new Random(seed, pass, "cases").shuffle([...sorted]) : sorted;
  const items = source("cases", sorted.length, (index, epoch): CaseItem => ({ ...ordered[index]!, epoch }), { epochs: pass + 1 });
  // Each fits the one before it: the overloads of `cached` say so.
  return operators.reduce(
    (flow: Observable<unknown>, operator) => (operator as OperatorFunction<unknown, unknown>)(flow),
    items,
  ) as Observable<Batch>;
}

/** An epoch ends when the next one begins, so a flow of which all is one epoch would be collected for ever. */
function requireDistinct(): OperatorFunction<CaseItem, CaseItem> {
  let epoch = -1;
  const seen = new Set<string>();
  return tap((item) => {
    if (item.epoch !== epoch) seen.clear();
    epoch = item.epoch;
    if (seen.has(item.id)) {
      throw new VoxError(`prepared batches must have epochs in which every case comes once, got ${item.id} twice`, {
        code: "ERR_DATA",
        where: "cached",
      });
    }
    seen.add(item.id);
  });
}

/** Two blocks, each rounded up to a page. */
function bytesOf(set: PreparedSet, index: number): number {
  const stored = set.read(index);
  return stored ? stored.image.byteLength + (stored.label?.byteLength ?? 0) + 2 * 4096 : 0;
}

function readBatch(set: PreparedSet, index: number, epoch: number, { pool }: RunContext): Batch {
  const stored = set.read(index);
  if (!stored) throw new VoxError(`prepared batch ${index} must be there, but it was removed`, { code: "ERR_CACHE", where: "cached" });
  const parts = storedParts(stored).map((part) => ({ ...part, epoch }));
  const made: Block[] = [];
  const block = <D extends "float32" | "uint8" | "uint16">(volume: StoredVolume<D>): Block<D> & { readonly shape: Shape5 } => {
    const [slices, height, width, channels]: Shape4 = volume.shape;
    const shape: Shape5 = [parts.length, slices / parts.length, height, width, channels];
    const target = Block.allocate(pool, volume.dtype, shape);
    made.push(target);
    volume.readRegion([0, 0, 0], [slices, height, width] satisfies Triple, target.data);
    return target as Block<D> & { readonly shape: Shape5 };
  };
  try {
    return { image: block(stored.image), ...(stored.label && { label: block(stored.label) }), parts };
  } catch (error) {
    for (const one of made) one.retain().release();
    throw error;
  }
}
