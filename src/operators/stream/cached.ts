import type { OperatorFunction } from "rxjs";
import type { ArrayRecord } from "../../cache/case-record.js";
import type { CaseArrays, CaseStore, StoredCase } from "../../cache/case-store.js";
import { isDiskFull } from "../../cache/is-disk-full.js";
import { openCaseStore } from "../../cache/open-case-store.js";
import { formatBytes, parseBytes } from "../../core/bytes.js";
import { errorMessage, requireOption, VoxError } from "../../core/errors.js";
import { release, retain } from "../../core/retain.js";
import type { Sample } from "../../core/sample.js";
import type { Volume } from "../../core/volume.js";
import { statistics } from "../../kernels/statistics/statistics.js";
import { mapAsync } from "../../streams/map-async.js";
import { ChainRun, KEPT_FREE } from "../chain-run.js";
import { RETRIES } from "../chain-stage.js";
import type { CaseItem } from "../load/case-item.js";
import { type OpenCase, openCase } from "../load/open-case.js";
import { describeOperator, descriptionOf } from "../operator-link.js";
import { foregroundPoints, lesionPoints } from "../patch/foreground-points.js";
import { withRunContext } from "../with-run-context.js";
import { type CaseRecipe, caseKey } from "./case-key.js";
import { roomFor } from "./room-for.js";

export interface CachedOptions {
  /** Folder of the LMDB environment, shared by all runs of a machine. Default: `VOXSTREAM_CACHE`, else `cache`. */
  readonly folder?: string;
  /** Most voxels that it keeps, such as "50GB". Cases of runs of the last hour stay; what finds no room is made again each time. Default no limit. */
  readonly quota?: number | string;
}

/** A case on its way: already stored, or open to be made. */
interface Looked {
  readonly item: CaseItem;
  readonly key: string;
  readonly stored?: StoredCase;
  readonly open?: OpenCase;
}

/**
 * Runs `load` and the operators behind it once per case and keeps what comes out; later epochs and later runs read it back, and of a crop only the chunks
 * that it touches. Ids, order, resume positions and voxels are the same as without `cached`. A case is made again when a source byte, an operator, an option
 * or the code changes. A half-written case does not exist. A case of which a chunk turns out to be damaged or gone is made again, in the middle of a run;
 * on a full disk the run goes on with cases that pass through memory.
 *
 * @shape as the operators
 * @units as the operators
 * @label as the operators
 * @throws `ERR_OPTION` when the first operator is not `load`, or another is random, a stream stage, or a function of your own, whose code no key can hold;
 * `ERR_CACHE` when the folder cannot be written; with the case what the operators throw
 * @example
 * cases(data, { refs }).pipe(cached(load(), clip({ min: -79, max: 304 }), normalize(), { folder: "cache", quota: "50GB" }), patch({ size: [80, 160, 160] }))
 */
export function cached(
  first: OperatorFunction<CaseItem, Sample>,
  ...rest: readonly (OperatorFunction<Sample, Sample> | CachedOptions)[]
): OperatorFunction<CaseItem, Sample> {
  const last = rest.at(-1);
  const options = typeof last === "object" ? last : {};
  const operators = rest.filter((part) => part !== options) as OperatorFunction<Sample, Sample>[];
  const recipe = recipeOf(first, operators);
  const { folder = process.env.VOXSTREAM_CACHE ?? "cache", quota } = options;
  requireOption(typeof folder === "string" && folder !== "", "cached", "folder", "a path", folder);
  const limit = quota === undefined ? Number.POSITIVE_INFINITY : parseBytes(quota, "cached", "quota");
  const operator = withRunContext<CaseItem, Sample>("cached", (context) => {
    const store = openCaseStore(folder);
    const run = new ChainRun(recipe.links, context, { nonFinite: "fail", labels: "declared", ...recipe.load });
    const making = new Map<string, Promise<unknown>>();
    const mending = new Map<string, Promise<void>>();
    /** After the disk was full once, this run writes no more. */
    let isFull = false;

    const keyOf = (item: CaseItem, custom: OpenCase | undefined, signal?: AbortSignal): Promise<string> =>
      caseKey(item, recipe, context, store, custom && "custom" in custom.voxels ? custom.voxels.custom : undefined, signal);
    const stored = (item: CaseItem, key: string): StoredCase | undefined =>
      store.read(key, (signal) => {
        const going = mending.get(key) ?? mend(item, key, signal).finally(() => mending.delete(key));
        mending.set(key, going);
        return going;
      });

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
      if (there) return sampleOf(item, there);
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
      if (!isFull) warnFull(store, limit);
      return sample;
    }

    return (flow) =>
      flow.pipe(
        mapAsync((item: CaseItem, { signal }) => look(item, signal), { name: "cached.look", concurrency: 2, retries: RETRIES }),
        mapAsync((looked: Looked, { signal }) => fetch(looked, signal), {
          name: "cached",
          retries: RETRIES,
          concurrency: "tasks",
          bytes: ({ stored, open }) => (stored ? 0 : run.bytes(open!)),
          keepFree: KEPT_FREE * context.pool.budget,
        }),
      );
  });
  return describeOperator(operator, { cached: recipe });
}

function recipeOf(first: OperatorFunction<CaseItem, Sample>, operators: readonly OperatorFunction<Sample, Sample>[]): CaseRecipe {
  const load = descriptionOf(first);
  requireOption(load !== undefined && "load" in load, "cached", "the first operator", "load()", load && "link" in load ? load.link.name : first);
  const links = operators.map((operator) => {
    const description = descriptionOf(operator);
    requireOption(
      description !== undefined && "link" in description,
      "cached",
      "each further operator",
      "a 1:1 operator such as clip, normalize, resample, pad, mapLabels, oneHot",
      description ? Object.keys(description)[0] : operator,
    );
    const { link } = description;
    requireOption(!link.draw, "cached", "each operator", "deterministic; put random ones behind cached(...)", link.name);
    const isKnown = !link.step || link.module !== undefined;
    requireOption(
      isKnown,
      "cached",
      "each operator",
      "built in, or a transform with module: the code of other functions cannot be part of a key",
      link.name,
    );
    return link;
  });
  return { load: load.load, links };
}

function recordOf({ id, image, label, source, history, extra }: Sample, { links }: CaseRecipe): Parameters<CaseStore["write"]>[1] {
  // What `load` made lies in memory.
  const minimum = statistics((image as Volume<"float32">).data, { channels: image.shape[3] }).map(({ min }) => min);
  return {
    id,
    made: ["load", ...links.map((link) => link.name)].join(" "),
    image: { dtype: "float32", shape: image.shape, geometry: image.geometry, minimum },
    ...(label && {
      label: {
        dtype: label.dtype,
        shape: label.shape,
        geometry: label.geometry,
        minimum: new Array<number>(label.shape[3]).fill(0),
        ...(label.shape[3] === 1 && foregroundOf(label as Volume<"uint8" | "uint16">)),
      },
    }),
    ...(source && { source }),
    history,
    ...(extra && { extra }),
  };
}

/** What `patch` draws from, so that it never has to look at a whole label map. */
function foregroundOf({ data, shape }: Volume<"uint8" | "uint16">): Pick<ArrayRecord, "points" | "lesions"> {
  return { points: foregroundPoints(data), lesions: lesionPoints(data, shape) };
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
