import { requireOption } from "../core/errors.js";
import type { Json } from "../core/json.js";
import type { Millimeters } from "../core/units.js";
import type { FoldRecord, FoldScoring } from "./fold-record.js";
import { requireRegions } from "./require-regions.js";
import type { OverlayStyle } from "./run-fold.js";

/** What may change after training: how held-out cases are predicted, scored and shown. */
export interface ScoringSettings {
  readonly checkpoint: "latest" | "best";
  readonly regions: Readonly<Record<string, readonly number[]>>;
  /** Of the NSD. */
  readonly tolerance: Millimeters;
  /** null: no pictures. */
  readonly overlays: OverlayStyle | null;
  readonly postprocessing: "auto" | "none";
}

/** The same as a caller gives it; what is not given stays as the run has it. */
export interface GivenScoring {
  readonly checkpoint?: "latest" | "best" | undefined;
  readonly regions?: Readonly<Record<string, readonly number[]>> | undefined;
  readonly tolerance?: Millimeters | undefined;
  readonly overlays?: boolean | undefined;
  readonly overlayStyle?: OverlayStyle | undefined;
  readonly postprocessing?: "auto" | "none" | undefined;
}

const DEFAULTS: ScoringSettings = { checkpoint: "latest", regions: {}, tolerance: 1, overlays: {}, postprocessing: "none" };

/**
 * What is given, else what the run had, else the defaults.
 *
 * @throws `ERR_OPTION`
 */
export function scoringSettings(given: GivenScoring, saved: Partial<ScoringSettings> | undefined, classes: readonly string[]): ScoringSettings {
  const before = { ...DEFAULTS, ...saved };
  const { checkpoint = before.checkpoint, regions = before.regions, tolerance = before.tolerance, postprocessing = before.postprocessing } = given;
  requireOption(checkpoint === "latest" || checkpoint === "best", "crossValidate", "checkpoint", '"latest" or "best"', checkpoint);
  requireOption(postprocessing === "auto" || postprocessing === "none", "crossValidate", "postprocessing", '"auto" or "none"', postprocessing);
  requireOption(Number.isFinite(tolerance) && tolerance >= 0, "crossValidate", "tolerance", "a length in mm", tolerance);
  requireRegions("crossValidate", regions, classes);
  const { overlays: isDrawn = given.overlayStyle === undefined ? before.overlays !== null : true } = given;
  const overlays = isDrawn ? (given.overlayStyle ?? before.overlays ?? {}) : null;
  return { checkpoint, regions, tolerance, overlays, postprocessing };
}

/** Of settings, what the scores of one fold depend on, as plain data. */
export function foldScoring({ postprocessing: _, ...scoring }: ScoringSettings): FoldScoring {
  return JSON.parse(JSON.stringify(scoring)) as FoldScoring;
}

/** What of a fold's scores was made otherwise; empty where they stand as they are wanted. */
export function changedScoring(evaluation: NonNullable<FoldRecord["evaluation"]>, scoring: ScoringSettings): readonly (keyof FoldScoring)[] {
  const wanted = foldScoring(scoring);
  const names = Object.keys(wanted) as (keyof FoldScoring)[];
  // A record of an earlier version does not say.
  const { scoring: own } = evaluation;
  return own === undefined ? names : names.filter((name) => canonical(own[name]) !== canonical(wanted[name]));
}

function canonical(value: Json | undefined): string {
  return JSON.stringify(value, (_, inner: Json) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
