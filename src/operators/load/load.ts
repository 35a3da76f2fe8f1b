import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import { chainStage } from "../chain-stage.js";
import { describeOperator } from "../operator-link.js";
import type { CaseItem } from "./case-item.js";

export interface LoadOptions {
  /** What NaN and infinite voxels do: "fail" names their number and place, "replace" makes them the smallest finite voxel of the channel. Default "fail". */
  readonly nonFinite?: "fail" | "replace";
  /** "declared": label values outside the data set's classes are an error; "any": they pass, for a `mapLabels` that follows. Default "declared". */
  readonly labels?: "declared" | "any";
}

/**
 * Reads a case: headers first, so that memory is exactly sized, then all voxels in a worker. Several files are channels, in the order of the data set.
 * Images become float32 in canonical orientation (RAS+), label maps uint8 (uint16 above 256 classes); prediction loads no label.
 *
 * @shape → image (D, H, W, C), label (D, H, W, 1)
 * @units intensities as in the file after its scaling (HU for CT); geometry in mm
 * @label loaded, checked against the declared classes
 * @throws `ERR_OPTION`; with the case `ERR_READ`, `ERR_FORMAT`, `ERR_TRUNCATED`, `ERR_CHECKSUM`, `ERR_HEADER`, `ERR_GEOMETRY` (image and label, or two
 * channels, differ in shape or place), `ERR_LABEL` (missing, or outside the classes), `ERR_VALUES`, `ERR_SHAPE`
 * @source NIfTI-1.1 and NIfTI-2; axes as nibabel 5 `as_closest_canonical`
 * @example
 * cases(data, { refs: await data.list() }).pipe(load(), normalize())
 */
export function load(given: LoadOptions = {}): OperatorFunction<CaseItem, Sample> {
  requireKnownOptions("load", given, ["nonFinite", "labels"]);
  const { nonFinite = "fail", labels = "declared" } = given;
  requireOption(nonFinite === "fail" || nonFinite === "replace", "load", "nonFinite", '"fail" or "replace"', nonFinite);
  requireOption(labels === "declared" || labels === "any", "load", "labels", '"declared" or "any"', labels);
  const options = { nonFinite, labels } as const;
  return describeOperator((source) => chainStage({ upstream: source, load: options, links: [] }), { load: options });
}
