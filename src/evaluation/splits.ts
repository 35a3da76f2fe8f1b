import { readFile } from "node:fs/promises";
import { errorMessage, requireOption, VoxError } from "../core/errors.js";
import { Random } from "../core/random.js";
import { writeAtomically } from "../io/write-atomically.js";

/** Ids of one division of a data set. */
export interface Fold {
  readonly training: readonly string[];
  readonly validation: readonly string[];
}

/** Divisions of a data set, one per fold. */
export type Splits = readonly Fold[];

export interface KFoldOptions {
  readonly folds: number;
  readonly seed?: number;
  /** Cases of one group (one patient) stay on one side; by default each case is its own. */
  readonly groupOf?: (id: string) => string;
}

/**
 * Every case validates exactly once. Sorted ids are shuffled by the seed and dealt into folds, so sizes differ by at most one case (one group) and the order
 * of the input does not matter.
 *
 * @throws `ERR_OPTION` unless 2 <= folds <= the number of cases (groups)
 * @example
 * kFold(ids, { folds: 3, seed: 1 })[0].validation;
 */
export function kFold(ids: readonly string[], { folds, seed = 0, groupOf = (id) => id }: KFoldOptions): Splits {
  const groups = [...new Set(ids.map(groupOf))].sort();
  requireOption(new Set(ids).size === ids.length, "kFold", "ids", "different from each other", ids);
  requireOption(
    Number.isInteger(folds) && folds >= 2 && folds <= groups.length,
    "kFold",
    "folds",
    `an integer in 2..${groups.length}, the cases to deal`,
    folds,
  );
  const order = new Random(seed, "k-fold", folds).shuffle(groups);
  const foldOf = new Map(order.map((group, i) => [group, i % folds]));
  return Array.from({ length: folds }, (_, fold) => divide(ids, (id) => foldOf.get(groupOf(id)) === fold));
}

/** Every case (group) validates alone: as many folds as there are cases. */
export function leaveOneOut(ids: readonly string[], { groupOf = (id: string) => id }: Pick<KFoldOptions, "groupOf"> = {}): Splits {
  const groups = [...new Set(ids.map(groupOf))].sort();
  requireOption(groups.length >= 2, "leaveOneOut", "ids", "at least two cases", ids);
  return groups.map((group) => divide(ids, (id) => groupOf(id) === group));
}

/** One fold: `ceil(share · n)` cases (groups), drawn by the seed, validate. */
export function percentageSplit(
  ids: readonly string[],
  { share, seed = 0, groupOf = (id) => id }: Omit<KFoldOptions, "folds"> & { readonly share: number },
): Splits {
  const groups = [...new Set(ids.map(groupOf))].sort();
  const count = Math.ceil(share * groups.length);
  requireOption(share > 0 && count < groups.length, "percentageSplit", "share", "in (0, 1) with something left to train on", share);
  const chosen = new Set(new Random(seed, "percentage").shuffle(groups).slice(0, count));
  return [divide(ids, (id) => chosen.has(groupOf(id)))];
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
    throw new VoxError(`the splits must be readable JSON: ${errorMessage(error)}`, {
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
    return { training, validation };
  });
}
