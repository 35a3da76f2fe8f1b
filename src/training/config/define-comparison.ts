import { describe, isVoxError, VoxError } from "../../core/errors.js";
import { nearestName } from "../../core/nearest-name.js";
import { defineConfig } from "./define-config.js";
import type { TrainingConfig, TrainingOptions } from "./training-config.js";

/** What a variant may change; `training` is merged field by field over the base's. */
export type VariantFields = Partial<Omit<TrainingConfig, "data" | "seed" | "name" | "runs" | "training">> & {
  readonly training?: Partial<TrainingOptions>;
};

/** What a comparison file exports: one configuration and the variants of it that are compared. */
export interface ComparisonConfig {
  /** What all variants share. */
  readonly base: TrainingConfig;
  /** Fields of each variant, over the base's; `{}` is the base itself. At least two. */
  readonly variants: Readonly<Record<string, VariantFields>>;
  /** The variant that the others are compared with; the first by default. */
  readonly baseline?: string;
  /** Folds of a cross-validation that every variant goes through; 5 by default. */
  readonly folds?: number;
  /** Instead of folds: this share of the cases is held out once. */
  readonly holdOut?: number;
  /** Every variant is trained once per seed and fold; by default the base's seed only. */
  readonly seeds?: readonly number[];
}

const FIELDS = ["base", "variants", "baseline", "folds", "holdOut", "seeds"] as const;
/** What must be the same for all, or is the comparison's own. */
const SHARED = ["data", "seed", "name", "runs"] as const;

/**
 * Checks a comparison and each of its variants, and gives it its type. Nothing is read and no thread is started.
 *
 * @throws `ERR_CONFIG` naming the variant and the first wrong field
 * @example
 * export default defineComparison({
 *   base: defineConfig({ data, graph, model: unet({ filters: 8, depth: 3 }), loss: tverskyLoss(), training: { epochs: 20 } }),
 *   variants: { unet: {}, residual: { model: residualUnet({ filters: 8, depth: 3 }) }, "cross-entropy": { loss: crossEntropyLoss() } },
 *   folds: 3,
 * });
 */
export function defineComparison(comparison: ComparisonConfig): ComparisonConfig {
  const fail = (sentence: string): never => {
    throw new VoxError(sentence, { code: "ERR_CONFIG", where: "comparison" });
  };
  if (typeof comparison !== "object" || comparison === null) fail(`the comparison must be an object, got ${describe(comparison)}`);
  const strange = Object.keys(comparison).find((key) => !(FIELDS as readonly string[]).includes(key));
  if (strange !== undefined) fail(`${strange} is not a field of a comparison${hint(strange, FIELDS)}`);
  const { base, variants, baseline, folds, holdOut, seeds } = comparison;
  within("base", () => defineConfig(base));
  if (typeof variants !== "object" || variants === null) fail(`variants must be an object of variants by name, got ${describe(variants)}`);
  const names = Object.keys(variants);
  if (names.length < 2) fail(`variants must be at least two, got ${describe(names)}`);
  for (const name of names) {
    if (!/^(?!\.+$)[\w.-]+$/.test(name)) fail(`the name of a variant must be letters, digits, '.', '_' and '-', got ${describe(name)}`);
    variantConfig(comparison, name);
  }
  if (baseline !== undefined && !names.includes(baseline))
    fail(`baseline must be one of the variants ${names.join(", ")}, got ${describe(baseline)}`);
  if (folds !== undefined && (!Number.isInteger(folds) || folds < 2)) fail(`folds must be an integer >= 2, got ${describe(folds)}`);
  if (holdOut !== undefined && !(holdOut > 0 && holdOut < 1)) fail(`holdOut must be a share between 0 and 1, got ${describe(holdOut)}`);
  if (folds !== undefined && holdOut !== undefined) fail("folds and holdOut must not both be given");
  const areSeeds =
    seeds === undefined || (Array.isArray(seeds) && seeds.length > 0 && seeds.every(Number.isInteger) && new Set(seeds).size === seeds.length);
  if (!areSeeds) fail(`seeds must be a list of different integers, got ${describe(seeds)}`);
  return comparison;
}

/**
 * The configuration of one variant: the base with the variant's fields over it.
 *
 * @throws `ERR_CONFIG` naming the variant, and for an unknown one that which was probably meant
 * @example
 * const config = variantConfig(await loadComparison("networks.config.mjs"), "residual");
 */
export function variantConfig({ base, variants }: Pick<ComparisonConfig, "base" | "variants">, name: string): TrainingConfig {
  const fields = variants[name];
  if (fields === undefined || fields === null) {
    throw new VoxError(`the comparison must have the variant, got '${name}'${hint(name, Object.keys(variants))}`, {
      code: "ERR_CONFIG",
      where: "comparison",
    });
  }
  const shared = SHARED.find((key) => key in fields);
  if (shared !== undefined) {
    throw new VoxError(`${shared} must be the same for all variants; it belongs to base, got it in variants.${name}`, {
      code: "ERR_CONFIG",
      where: "comparison",
    });
  }
  return within(`variants.${name}`, () => defineConfig({ ...base, ...fields, training: { ...base.training, ...fields.training } }));
}

/** Errors say which part of the comparison they are about. */
function within<T>(place: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!isVoxError(error)) throw error;
    throw new VoxError(`${place}: ${error.message.replace(/^config: /, "")}`, { code: error.code, where: "comparison", cause: error });
  }
}

function hint(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest ? `; did you mean ${nearest}?` : `; known: ${known.join(", ")}`;
}
