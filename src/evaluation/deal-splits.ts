import type { CaseRef, DataSet } from "../core/case.js";
import { requireOption, VoxError } from "../core/errors.js";
import { caseStrata } from "./case-strata.js";
import { holdOut, kFold, leaveOneOut, percentageSplit, readSplits, type Splits } from "./splits.js";

/** How cases are divided; at most one of `folds`, `leaveOneOut`, `share`, `heldOutIds` and `splits`. */
export interface DealSplitsOptions {
  /** How many folds; 5. Dealt by the seed. */
  readonly folds?: number;
  /** How often all cases are dealt anew into folds; 1. */
  readonly repeats?: number;
  /** What every fold shall have its share of: the classes that cases have, or their foreground volume. The label maps are read for it. */
  readonly stratify?: "presence" | "volume";
  /** Every case (group) is held out alone: as many folds as there are cases. */
  readonly leaveOneOut?: boolean;
  /** One fold: this share of the cases, drawn by the seed, is held out. */
  readonly share?: number;
  /** One fold: these cases are held out, all others train. */
  readonly heldOutIds?: readonly string[];
  /** Divisions to use instead: a list, or the path of a `splits.json` (also nnU-Net's). No case may be held out twice in one repeat. */
  readonly splits?: Splits | string;
  /** Cases of one group, such as one patient, stay on one side. */
  readonly groupOf?: (id: string) => string;
}

/**
 * Divides the cases of a data set as asked for.
 *
 * @throws `ERR_OPTION` for what cannot be divided so, and for several ways at once; `ERR_DATA` for divisions that do not fit the cases
 * @example
 * await dealSplits({ folds: 3, stratify: "presence" }, { data, refs, seed: 1 });
 */
export async function dealSplits(
  { folds, repeats, stratify, leaveOneOut: isOneOut, share, heldOutIds, splits, groupOf }: DealSplitsOptions,
  { data, refs, seed }: { readonly data: DataSet; readonly refs: readonly CaseRef[]; readonly seed: number },
): Promise<Splits> {
  const ids = refs.map(({ id }) => id);
  const ways = { folds, leaveOneOut: isOneOut || undefined, share, heldOutIds, splits };
  const given = Object.entries(ways).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  requireOption(given.length <= 1, "crossValidate", "options", `at most one of ${Object.keys(ways).join(", ")}`, given);
  const isDealt = given.length === 0 || given[0] === "folds";
  requireOption(isDealt || repeats === undefined, "crossValidate", "repeats", `absent with ${given[0]}`, repeats);
  requireOption(isDealt || stratify === undefined, "crossValidate", "stratify", `absent with ${given[0]}`, stratify);
  requireOption(
    groupOf === undefined || (splits === undefined && heldOutIds === undefined),
    "crossValidate",
    "groupOf",
    `absent with ${given[0]}`,
    "a function",
  );
  requireOption(
    stratify === undefined || stratify === "presence" || stratify === "volume",
    "crossValidate",
    "stratify",
    '"presence" or "volume"',
    stratify,
  );
  const grouped = groupOf && { groupOf };
  const chosen = await deal();
  requireDivision(chosen, ids);
  return chosen;

  async function deal(): Promise<Splits> {
    if (splits !== undefined) return typeof splits === "string" ? await readSplits(splits) : splits;
    if (isOneOut) return leaveOneOut(ids, { ...grouped });
    if (share !== undefined) return percentageSplit(ids, { share, seed, ...grouped });
    if (heldOutIds !== undefined) return holdOut(ids, heldOutIds);
    const strata = stratify && (await caseStrata(data, refs, stratify));
    return kFold(ids, {
      folds: folds ?? 5,
      seed,
      ...(repeats !== undefined && { repeats }),
      ...grouped,
      ...(strata && { stratumOf: (id: string) => strata.get(id)! }),
    });
  }
}

/** @throws `ERR_DATA` */
function requireDivision(splits: Splits, ids: readonly string[]): void {
  const known = new Set(ids);
  const wrong = (rule: string): VoxError => new VoxError(`the splits must ${rule}`, { code: "ERR_DATA", where: "crossValidate" });
  const strange = splits.flatMap(({ training, validation }) => [...training, ...validation]).find((id) => !known.has(id));
  if (strange !== undefined) throw wrong(`name cases of the data set that have a label, got ${strange}`);
  for (const repeat of new Set(splits.map((fold) => fold.repeat ?? 0))) {
    const held = splits.filter((fold) => (fold.repeat ?? 0) === repeat).flatMap(({ validation }) => validation);
    const twice = held.find((id, at) => held.indexOf(id) !== at);
    if (twice !== undefined) throw wrong(`hold out each case at most once, got ${twice} twice`);
  }
  const empty = splits.findIndex(({ training, validation }) => training.length === 0 || validation.length === 0);
  if (empty >= 0) throw wrong(`have cases on both sides, got none on one side of fold ${empty}`);
  const both = splits.flatMap(({ training, validation }) => validation.filter((id) => training.includes(id)))[0];
  if (both !== undefined) throw wrong(`have each case of a fold on one side only, got ${both} on both`);
}
