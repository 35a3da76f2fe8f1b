import type { Observable, OperatorFunction } from "rxjs";
import type { Batch } from "../../core/batch.js";
import { parseBytes } from "../../core/bytes.js";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import { tellRole } from "../../streams/checked-pipe.js";
import type { CaseItem } from "../load/case-item.js";
import { describeOperator, descriptionOf, isRecording } from "../operator-link.js";
import { cachedCases } from "./cached-cases.js";
import type { CaseRecipe } from "./case-key.js";
import { preparedBatches } from "./prepared-batches.js";

export interface CachedOptions {
  /** Folder of the LMDB environment, shared by all runs of a machine. Default: `VOXSTREAM_CACHE`, else `cache`. */
  readonly folder?: string;
  /**
   * Most voxels that it keeps, such as "50GB". Cases of runs of the last hour stay, so a data set beyond the quota does not turn over: what finds no room is made
   * again each time, the rest is read. Default no limit.
   */
  readonly quota?: number | string;
  /**
   * How voxels of images are kept: "int16" spreads 65 536 values over the range of each channel (error at most range / 131 070; whole numbers such as HU stay
   * exact), "float16" keeps 11 bits of each voxel (error at most max|x| / 2048). Both halve the cache and what is read. Default "float32", exact.
   */
  readonly image?: "float32" | "int16" | "float16";
  /** Only with `batch` inside: how many epochs are prepared, each with its own random draws; later epochs take them in turn. Default 1. */
  readonly passes?: number;
}

/**
 * Runs `load` and the operators behind it once per case and keeps what comes out; later epochs and later runs read it back, and of a crop only the chunks
 * that it touches. Ids, order, resume positions and voxels are the same as without `cached`. A case is made again when a source byte, an operator, an option
 * or the code changes. A half-written case does not exist. A case of which a chunk turns out to be damaged or gone is made again, in the middle of a run;
 * on a full disk the run goes on with cases that pass through memory.
 *
 * With everything up to `batch` inside, finished batches are kept: patches, augmentation and shuffling of the first epoch are frozen, and every further epoch
 * brings the same batches in another order, drawn from (seed, epoch). They are made again when a source, an operator, the seed or the list of cases changes.
 *
 * @shape as the operators
 * @units as the operators
 * @label as the operators
 * @throws `ERR_OPTION` when the first operator is not `load`, or another is a function of your own, whose code no key can hold, or, without `batch`, is random or
 * a stream stage; `ERR_CACHE` when the folder cannot be written, or prepared batches do not fit; `ERR_VALUES` when an image is beyond float16; with the case
 * what the operators throw
 * @source own; docs/decisions.md 34 to 37
 * @example
 * cases(data, { refs }).pipe(cached(load(), clip({ min: -79, max: 304 }), normalize(), { folder: "cache", quota: "50GB" }), patch({ size: [80, 160, 160] }))
 */
export function cached(
  first: OperatorFunction<CaseItem, Sample>,
  ...rest: readonly (OperatorFunction<Sample, Sample> | CachedOptions)[]
): OperatorFunction<CaseItem, Sample>;
export function cached(
  ...parts: readonly [
    first: OperatorFunction<CaseItem, Sample>,
    ...between: OperatorFunction<Sample, Sample>[],
    batch: OperatorFunction<Sample, Batch>,
    options: CachedOptions,
  ]
): OperatorFunction<CaseItem, Batch>;
export function cached(
  ...parts: readonly [
    first: OperatorFunction<CaseItem, Sample>,
    ...between: OperatorFunction<Sample, Sample>[],
    batch: OperatorFunction<Sample, Batch>,
  ]
): OperatorFunction<CaseItem, Batch>;
export function cached(...parts: readonly unknown[]): OperatorFunction<CaseItem, Sample> | OperatorFunction<CaseItem, Batch> {
  const last = parts.at(-1);
  const options: CachedOptions = typeof last === "object" && last !== null ? last : {};
  // What the overloads say.
  const operators = parts.filter((part) => part !== options) as OperatorFunction<never, unknown>[];
  requireKnownOptions("cached", options, ["folder", "quota", "image", "passes"]);
  const { folder = process.env.VOXSTREAM_CACHE ?? "cache", quota, image = "float32", passes } = options;
  requireOption(typeof folder === "string" && folder !== "", "cached", "folder", "a path", folder);
  requireOption(["float32", "int16", "float16"].includes(image), "cached", "image", '"float32", "int16" or "float16"', image);
  const place = { folder, limit: quota === undefined ? Number.POSITIVE_INFINITY : parseBytes(quota, "cached", "quota") };
  const batchAt = operators.findIndex((operator) => "batch" in (descriptionOf(operator) ?? {}));
  if (batchAt < 0) {
    requireOption(passes === undefined, "cached", "passes", "given only with batch among the operators", passes);
    const recipe = recipeOf(operators[0] as OperatorFunction<CaseItem, Sample>, operators.slice(1) as OperatorFunction<Sample, Sample>[], image);
    return describeOperator(cachedCases(recipe, place), { cached: recipe });
  }
  requireOption(
    batchAt === operators.length - 1,
    "cached",
    "the last operator",
    "batch, where there is one",
    `${operators.length - 1 - batchAt} behind it`,
  );
  requireOption(image === "float32", "cached", "image", '"float32" with batch among the operators', image);
  const prepared = preparedBatches(operators, place, passes ?? 1);
  const told = describeOperator((flow: Observable<CaseItem>) => flow, { prepared: { passes: passes ?? 1 } });
  const plain = (flow: Observable<CaseItem>): Observable<Batch> =>
    operators.reduce(
      (before: Observable<unknown>, operator) => (operator as OperatorFunction<unknown, unknown>)(before),
      told(flow),
    ) as Observable<Batch>;
  // Who looks at the graph sees what prepares the batches.
  const operator = (flow: Observable<CaseItem>): Observable<Batch> => (isRecording() ? plain(flow) : prepared(flow));
  tellRole(operator, { name: "cached", takes: "cases", gives: "batches" });
  return operator;
}

function recipeOf(
  first: OperatorFunction<CaseItem, Sample>,
  operators: readonly OperatorFunction<Sample, Sample>[],
  image: CaseRecipe["image"],
): CaseRecipe {
  const load = descriptionOf(first);
  requireOption(load !== undefined && "load" in load, "cached", "the first operator", "load()", load && "link" in load ? load.link.name : first);
  const links = operators.map((operator) => {
    const description = descriptionOf(operator);
    requireOption(
      description !== undefined && "link" in description,
      "cached",
      "each further operator",
      "a 1:1 operator such as clip, normalize, resample, pad, mapLabels, oneHot; or all up to batch, to prepare batches",
      description ? Object.keys(description)[0] : operator,
    );
    const { link } = description;
    requireOption(
      !link.draw,
      "cached",
      "each operator",
      "deterministic; put random ones behind cached(...), or end it with batch to prepare batches",
      link.name,
    );
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
  return { load: load.load, links, image };
}
