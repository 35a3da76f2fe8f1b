import { requireOption } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Activation, Normalization } from "./layers-for.js";
import { type Pooling, requirePooling } from "./pooling-factors.js";

/** What the U-Nets of one design have in common. */
export interface UnetOptions {
  /** Filters of the finest level, doubled at each coarser one; 32 as in MIScnn. */
  readonly filters?: number;
  /** Levels below the finest. */
  readonly depth?: number;
  readonly normalization?: Normalization;
  /** Groups of group normalization; 8. Where they do not divide the channels, the greatest common divisor of both. */
  readonly groups?: number;
  readonly activation?: Activation;
  /** Share of the values set to 0 behind each unit in training; 0. */
  readonly dropout?: number;
  /** 2 or 3; from the patch when absent: depth 1 means 2D. */
  readonly dimensions?: 2 | 3;
  /** `"isotropic"` halves every axis at every level; `"auto"` spares thin axes; or one `[z, y, x]` factor per level, the finest first. */
  readonly pooling?: Pooling;
}

const OPTIONS = [
  "filters",
  "depth",
  "normalization",
  "groups",
  "activation",
  "dropout",
  "dimensions",
  "pooling",
] as const satisfies readonly (keyof UnetOptions)[];

/** All options, with `dimensions` still open when the patch shall decide. */
export type CompleteUnetOptions = Required<Omit<UnetOptions, "dimensions">> & { readonly dimensions: 2 | 3 | undefined };

/**
 * Fills in the defaults of MIScnn's U-Nets and checks the options.
 *
 * @throws `ERR_OPTION`
 */
export function completeUnetOptions(where: string, options: UnetOptions): CompleteUnetOptions {
  requireKnownOptions(where, options, OPTIONS);
  const {
    filters = 32,
    depth = 4,
    normalization = "batch",
    groups = 8,
    activation = "relu",
    dropout = 0,
    dimensions,
    pooling = "isotropic",
  } = options;
  requireOption(Number.isInteger(filters) && filters >= 1, where, "filters", "an integer >= 1", filters);
  requireOption(Number.isInteger(depth) && depth >= 1 && depth <= 8, where, "depth", "an integer 1..8", depth);
  requireNormalization(where, normalization, groups);
  requireOption(["relu", "leakyRelu", "elu"].includes(activation), where, "activation", '"relu", "leakyRelu" or "elu"', activation);
  requireOption(dropout >= 0 && dropout < 1, where, "dropout", "in [0, 1)", dropout);
  requireDimensions(where, dimensions);
  requirePooling(pooling, depth, where);
  return { filters, depth, normalization, groups, activation, dropout, dimensions, pooling };
}

export function requireNormalization(where: string, normalization: Normalization, groups: number): void {
  requireOption(
    ["batch", "instance", "group", "none"].includes(normalization),
    where,
    "normalization",
    '"batch", "instance", "group" or "none"',
    normalization,
  );
  requireOption(Number.isInteger(groups) && groups >= 1, where, "groups", "an integer >= 1", groups);
}

export function requireDimensions(where: string, dimensions: 2 | 3 | undefined): void {
  requireOption(dimensions === undefined || dimensions === 2 || dimensions === 3, where, "dimensions", "2 or 3", dimensions);
}
