import type { OperatorFunction } from "rxjs";
import type { CaseArrays } from "../../cache/case-chunks.js";
import type { CaseStore, StoredCase } from "../../cache/case-store.js";
import { isDiskFull } from "../../cache/is-disk-full.js";
import { openCaseStore } from "../../cache/open-case-store.js";
import { formatBytes } from "../../core/bytes.js";
import { errorMessage, VoxError } from "../../core/errors.js";
import { release, retain } from "../../core/retain.js";
import type { Sample } from "../../core/sample.js";
import type { Volume } from "../../core/volume.js";
import { mapAsync } from "../../streams/stages/map-async.js";
import { ChainRun, KEPT_FREE } from "../chain-run.js";
import { RETRIES } from "../chain-stage.js";
import type { CaseItem } from "../load/case-item.js";
import { type OpenCase, openCase } from "../load/open-case.js";
import { withRunContext } from "../with-run-context.js";
import { type CaseRecipe, caseKey } from "./case-key.js";
import { recordOf } from "./record-of.js";
import { roomFor } from "./room-for.js";

/** Where a cache lies and how much it may hold. */
export interface CachePlace {
  readonly folder: string;
  /** Bytes of voxels at most. */
  readonly limit: number;
}

/** A case on its way: already stored, or open to be made. */
interface Looked {
  readonly item: CaseItem;
  readonly key: string;
  readonly stored?: StoredCase;
  readonly open?: OpenCase;
}

/** Runs a recipe once per case and keeps what comes out. */
export function cachedCases(recipe: CaseRecipe, { folder, limit }: CachePlace): OperatorFunction<CaseItem, Sample> {
  return withRunContext<CaseItem, Sample>("cached", (context) => {
    const store = openCaseStore(folder);
    const run = new ChainRun(recipe.links, context, { nonFinite: "fail", labels: "declared", ...recipe.load });
    const making = new Map<string, Promise<unknown>>();
    const mending = new Map<string, Promise<void>>();
    /** After the disk was full once, this run writes no more. */
    let isFull = false;
    const counts = { "from the cache": 0, made: 0 };

    const keyOf = (item: CaseItem, custom: OpenCase | undefined, signal?: AbortSignal): Promise<string> =>
      caseKey(item, recipe, context, store, custom && "custom" in custom.voxels ? custom.voxels.custom : undefined, signal);
    const stored = (item: CaseItem, key: string): StoredCase | undefined => {
      store.keepBeside(context.pool.budget);
      return store.read(key, (signal) => {
        const going = mending.get(key) ?? mend(item, key, signal).finally(() => mending.delete(key));
        mending.set(key, going);
        return going;
      });
    };

    /** Makes a stored case again, over what is left of it. */
    async function mend(item: CaseItem, key: string, signal?: AbortSignal): Promise<void> {
      const open = await openCase(item, context.mode);
      if ((await keyOf(item, open, signal)) !== key) {
        throw new VoxError("the sources of a cached case must stay as they are while a run uses it, but they have changed", {
          code: "ERR_DATA",
          where: "cached",
          sampleId: item.id,
        });
      }
      await roomFor(context.pool, run.bytes(open), "cached", signal);
      const sample = await run.apply(open, signal);
      retain(sample);
      try {
        await store.rewrite(key, recordOf(sample, recipe), arraysOf(sample));
      } finally {
        release(sample);
      }
      process.emitWarning(`the cache in ${store.folder} held a damaged copy of case ${item.id}; it has been made again`, "VoxstreamWarning");
    }

    async function look(item: CaseItem, signal: AbortSignal): Promise<Looked> {
      const custom = item.data.read ? await openCase(item, context.mode) : undefined;
      const key = await keyOf(item, custom, signal);
      const there = stored(item, key);
      if (there) return { item, key, stored: there };
      return { item, key, open: custom ?? (await openCase(item, context.mode)) };
    }

    async function fetch({ item, key, stored: before, open }: Looked, signal: AbortSignal): Promise<Sample> {
      // The same case of the next epoch may follow while this one is being made.
      while (making.has(key)) await making.get(key);
      const there = before ?? stored(item, key);
      if (there) {
        counts["from the cache"]++;
        return sampleOf(item, there);
      }
      counts.made++;
      const made = make(item, key, open!, signal);
      const over = made.then(
        () => undefined,
        () => undefined,
      );
      making.set(key, over);
      try {
        return await made;
      } finally {
        making.delete(key);
      }
    }

    async function make(item: CaseItem, key: string, open: OpenCase, signal: AbortSignal): Promise<Sample> {
      const sample = await run.apply(open, signal);
      let isKept = true;
      try {
        isKept = !isFull && (await store.write(key, recordOf(sample, recipe), arraysOf(sample), limit));
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        isFull = true;
        isKept = false;
        process.emitWarning(`${errorMessage(error)}; cases that are not there yet are made again every time`, "VoxstreamWarning");
      } finally {
        // The sample has no holder yet: it goes on as it is, or to be read back from the store.
        if (isKept) {
          retain(sample);
          release(sample);
        }
      }
      if (isKept) return sampleOf(item, stored(item, key)!);
      if (!isFull && !store.isReadOnly) warnFull(store, limit);
      return sample;
    }

    return (flow) =>
      flow.pipe(
        mapAsync((item: CaseItem, { signal }) => look(item, signal), { name: "cached.look", concurrency: 2, retries: RETRIES }),
        mapAsync((looked: Looked, { signal }) => fetch(looked, signal), {
          name: "cached",
          counters: () => counts,
          retries: RETRIES,
          concurrency: "tasks",
          bytes: ({ stored, open }) => (stored ? 0 : run.pieces(open!)),
          keepFree: KEPT_FREE * context.pool.budget,
        }),
      );
  });
}

function arraysOf({ image, label }: Sample): CaseArrays {
  return { image: (image as Volume<"float32">).data, ...(label && { label: (label as Volume<"uint8" | "uint16">).data }) };
}

/** The same bytes may be a case of another name, in another place: only voxels and what follows from them come from the store. */
function sampleOf({ id, epoch, ref }: CaseItem, { record, image, label }: StoredCase): Sample {
  const { source, history } = record;
  return {
    id,
    epoch,
    image,
    ...(label && { label }),
    ...(source && { source: { ...source, path: ref.images[0] ?? source.path } }),
    history,
    ...(ref.extra && { extra: ref.extra }),
  };
}

const warned = new Set<string>();

function warnFull(store: CaseStore, limit: number): void {
  if (warned.has(store.folder)) return;
  warned.add(store.folder);
  process.emitWarning(
    `the cache in ${store.folder} has reached its quota of ${formatBytes(limit)}; further cases are made again every time`,
    "VoxstreamWarning",
  );
}
