import type { CaseRef } from "../core/case.js";
import { VoxError } from "../core/errors.js";
import { nearestName } from "../core/nearest-name.js";
import { Random } from "../core/random.js";
import type { Split } from "./config/training-config.js";

export interface SplitResult {
  readonly training: readonly CaseRef[];
  readonly validation: readonly CaseRef[];
}

/**
 * Divides the cases. A share of n cases validates `ceil(share · n)`, drawn by the seed from the sorted ids, so the order on disk does not matter.
 *
 * @throws `ERR_EMPTY` when nothing is left to train on; `ERR_CONFIG` for an unknown id or one on both sides
 */
export function splitCases(cases: readonly CaseRef[], split: Split | undefined, seed: number): SplitResult {
  if (cases.length === 0) throw new VoxError("there must be at least one case, got an empty data set", { code: "ERR_EMPTY", where: "split" });
  if (split === undefined) return { training: cases, validation: [] };
  const { validation } = split;
  const parts =
    typeof validation === "number" ? drawn(cases, validation, seed) : listed(cases, validation, "training" in split ? split.training : undefined);
  if (parts.training.length === 0) {
    throw new VoxError(`at least one of the ${cases.length} cases must be left for training`, { code: "ERR_EMPTY", where: "split" });
  }
  return parts;
}

function drawn(cases: readonly CaseRef[], share: number, seed: number): SplitResult {
  const ids = cases.map(({ id }) => id).sort();
  const chosen = new Set(new Random(seed, "split").shuffle(ids).slice(0, Math.ceil(share * cases.length)));
  return { training: cases.filter(({ id }) => !chosen.has(id)), validation: cases.filter(({ id }) => chosen.has(id)) };
}

function listed(cases: readonly CaseRef[], validation: readonly string[], training: readonly string[] | undefined): SplitResult {
  const byId = new Map(cases.map((ref) => [ref.id, ref]));
  const find = (id: string): CaseRef => {
    const found = byId.get(id);
    if (found) return found;
    const nearest = nearestName(id, [...byId.keys()]);
    throw new VoxError(`the split names a case that is not there, '${id}'${nearest ? `; did you mean '${nearest}'?` : ""}`, {
      code: "ERR_CONFIG",
      where: "split",
    });
  };
  const held = validation.map(find);
  const heldIds = new Set(validation);
  if (training === undefined) return { training: cases.filter(({ id }) => !heldIds.has(id)), validation: held };
  const both = training.find((id) => heldIds.has(id));
  if (both !== undefined)
    throw new VoxError(`a case must be on one side of the split only, got '${both}' on both`, { code: "ERR_CONFIG", where: "split" });
  return { training: training.map(find), validation: held };
}
