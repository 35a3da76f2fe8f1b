import { readFile } from "node:fs/promises";
import { didYouMean } from "../core/did-you-mean.js";
import { describe, requireOption, VoxError } from "../core/errors.js";
import { Random } from "../core/random.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { reasonOf } from "../io/read-error.js";
import { writeAtomically } from "../io/write-atomically.js";

/** Ids of one division of a data set. */
export interface Fold {
  readonly training: readonly string[];
  readonly validation: readonly string[];
  /** Counted from 0, where every case is held out several times. */
  readonly repeat?: number;
}

/** Divisions of a data set, one per fold. */
export type Splits = readonly Fold[];

export interface KFoldOptions {
  readonly folds: number;
  readonly seed?: number;
  /** Cases of one group (one patient) stay on one side; by default each case is its own. */
  readonly groupOf?: (id: string) => string;
  /**
   * What every fold shall have its share of: a name, such as the classes that a case has, or a number, such as its foreground volume. Of a group the
   * names are put together and the numbers added. By default nothing.
   */
  readonly stratumOf?: (id: string) => string | number;
  /** How often all cases are dealt anew; 1. */
  readonly repeats?: number;
}

/**
 * Every case validates exactly once (once per repeat). Sorted ids are shuffled by the seed and dealt into folds, so sizes differ by at most one case (one
 * group) and the order of the input does not matter. With strata, cases are dealt stratum after stratum; with numbers, from the smallest to the largest.
 *
 * @throws `ERR_OPTION` unless 2 <= folds <= the number of cases (groups) and repeats >= 1
 * @example
 * kFold(ids, { folds: 3, seed: 1 })[0].validation;
 */
export function kFold(ids: readonly string[], { folds, seed = 0, groupOf = (id) => id, stratumOf, repeats = 1, ...unknown }: KFoldOptions): Splits {
  requireKnownOptions("kFold", unknown, ["folds", "seed", "groupOf", "stratumOf", "repeats"]);
  const groups = [...new Set(ids.map(groupOf))].sort();
  requireOption(new Set(ids).size === ids.length, "kFold", "ids", "different from each other", ids);
  requireOption(groups.length >= 2, "kFold", "ids", "at least two cases, or groups of cases, to deal", groups.length);
  requireOption(
    Number.isInteger(folds) && folds >= 2 && folds <= groups.length,
    "kFold",
    "folds",
    `an integer in 2..${groups.length}, the cases to deal`,
    folds,
  );
  requireOption(Number.isInteger(repeats) && repeats >= 1, "kFold", "repeats", "an integer >= 1", repeats);
  return Array.from({ length: repeats }, (_, repeat) => {
    const random = new Random(seed, "k-fold", folds, ...(repeat > 0 ? [repeat] : []));
    const shuffled = random.shuffle([...groups]);
    const order = stratumOf ? inStrata(shuffled, ids, groupOf, stratumOf, (sorted) => inBlocks(sorted, folds, random)) : shuffled;
    const foldOf = new Map(order.map((group, i) => [group, i % folds]));
    return Array.from({ length: folds }, (_, fold): Fold => {
      const division = divide(ids, (id) => foldOf.get(groupOf(id)) === fold);
      return repeats > 1 ? { ...division, repeat } : division;
    });
  }).flat();
}

/** Groups stratum after stratum, within one in the order given, which is random; by numbers from the smallest to the largest, mixed a little by `mix`. */
function inStrata(
  groups: readonly string[],
  ids: readonly string[],
  groupOf: (id: string) => string,
  stratumOf: (id: string) => string | number,
  mix: (sorted: readonly string[]) => string[],
): string[] {
  const strata = new Map<string, string | number>();
  for (const id of [...ids].sort()) {
    const group = groupOf(id);
    const before = strata.get(group);
    const own = stratumOf(id);
    if (before === undefined) strata.set(group, own);
    else if (typeof own === "number" && typeof before === "number") strata.set(group, before + own);
    else strata.set(group, [...new Set(`${before}+${own}`.split("+"))].sort().join("+"));
  }
  const place = new Map(groups.map((group, i) => [group, i]));
  const sorted = [...groups].sort((a, b) => {
    const [x, y] = [strata.get(a)!, strata.get(b)!];
    return (x < y ? -1 : x > y ? 1 : 0) || place.get(a)! - place.get(b)!;
  });
  return [...strata.values()].every((stratum) => typeof stratum === "number") ? mix(sorted) : sorted;
}

/** Each block of as many groups as there are folds in an order of its own: no fold always gets the smallest. */
function inBlocks(sorted: readonly string[], folds: number, random: Random): string[] {
  return Array.from({ length: Math.ceil(sorted.length / folds) }, (_, block) =>
    random.shuffle(sorted.slice(block * folds, (block + 1) * folds)),
  ).flat();
}

/** Every case (group) validates alone: as many folds as there are cases. */
export function leaveOneOut(ids: readonly string[], { groupOf = (id: string) => id, ...unknown }: Pick<KFoldOptions, "groupOf"> = {}): Splits {
  requireKnownOptions("leaveOneOut", unknown, ["groupOf"]);
  const groups = [...new Set(ids.map(groupOf))].sort();
  requireOption(groups.length >= 2, "leaveOneOut", "ids", "at least two cases", ids);
  return groups.map((group) => divide(ids, (id) => groupOf(id) === group));
}

/** One fold: `ceil(share · n)` cases (groups), drawn by the seed, validate. */
export function percentageSplit(
  ids: readonly string[],
  { share, seed = 0, groupOf = (id) => id, ...unknown }: Omit<KFoldOptions, "folds" | "stratumOf" | "repeats"> & { readonly share: number },
): Splits {
  requireKnownOptions("percentageSplit", unknown, ["groupOf", "seed", "share"]);
  const groups = [...new Set(ids.map(groupOf))].sort();
  const count = Math.ceil(share * groups.length);
  requireOption(share > 0 && count < groups.length, "percentageSplit", "share", "in (0, 1) with something left to train on", share);
  const chosen = new Set(new Random(seed, "percentage").shuffle(groups).slice(0, count));
  return [divide(ids, (id) => chosen.has(groupOf(id)))];
}

/**
 * One fold: the given cases validate, all others train.
 *
 * @throws `ERR_OPTION` for an id that is not there, and when a side would be empty
 * @example
 * holdOut(ids, ["case_00001", "case_00004"])[0].training;
 */
export function holdOut(ids: readonly string[], heldOut: readonly string[]): Splits {
  const strange = heldOut.find((id) => !ids.includes(id));
  if (strange !== undefined) {
    throw new VoxError(`heldOut must be cases of the data set, got ${describe(strange)}${didYouMean(strange, ids)}`, {
      code: "ERR_OPTION",
      where: "holdOut",
    });
  }
  const chosen = new Set(heldOut);
  requireOption(chosen.size > 0 && chosen.size < ids.length, "holdOut", "heldOut", `1..${ids.length - 1} cases`, chosen.size);
  return [divide(ids, (id) => chosen.has(id))];
}

function divide(ids: readonly string[], isValidation: (id: string) => boolean): Fold {
  const sorted = [...ids].sort();
  return { training: sorted.filter((id) => !isValidation(id)), validation: sorted.filter(isValidation) };
}

/** Writes `splits.json`. */
export async function saveSplits(path: string, splits: Splits): Promise<void> {
  await writeAtomically(path, [Buffer.from(`${JSON.stringify(splits, undefined, 2)}\n`)]);
}

/**
 * Reads `splits.json`, also nnU-Net's `splits_final.json` with `train` and `val`.
 *
 * @throws `ERR_READ`; `ERR_FORMAT` when it is no list of divisions, or a case stands on both sides of one
 */
export async function readSplits(path: string): Promise<Splits> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new VoxError(`the splits must be readable JSON, got ${reasonOf(error)}`, {
      code: error instanceof SyntaxError ? "ERR_FORMAT" : "ERR_READ",
      where: path,
      cause: error,
    });
  }
  const isIds = (value: unknown): value is string[] => Array.isArray(value) && value.every((id) => typeof id === "string");
  const wrong = (rule: string): VoxError => new VoxError(`the splits must be ${rule}`, { code: "ERR_FORMAT", where: path });
  if (!Array.isArray(content) || content.length === 0) throw wrong("a list of { training, validation }");
  return content.map((fold: Record<string, unknown> | null, index) => {
    const training = fold?.training ?? fold?.train;
    const validation = fold?.validation ?? fold?.val;
    if (!isIds(training) || !isIds(validation)) throw wrong(`a list of { training, validation } with case ids, got another thing in fold ${index}`);
    const both = training.find((id) => validation.includes(id));
    if (both !== undefined) throw wrong(`free of cases on both sides, got ${both} in fold ${index}`);
    const { repeat } = fold as { readonly repeat?: unknown };
    if (repeat !== undefined && !(Number.isInteger(repeat) && (repeat as number) >= 0))
      throw wrong(`numbered by repeat with integers >= 0, got another thing in fold ${index}`);
    return { training, validation, ...(repeat !== undefined && { repeat: repeat as number }) };
  });
}
