import { requireKnownOptions } from "../core/require-known-options.js";
import { LabelMapComparison, type LabelMapComparisonOptions } from "../metrics/index.js";
import { type EvaluateComparisonOptions, evaluateComparison } from "./evaluate-comparison.js";
import type { EvaluationRow } from "./evaluation-summary.js";

export type EvaluateCaseOptions = LabelMapComparisonOptions & EvaluateComparisonOptions;

/**
 * All metrics of all foreground classes (and regions) of one case.
 *
 * @throws `ERR_OPTION`; what `LabelMapComparison` throws
 * @example
 * evaluateCase({ id: "case_00000", prediction, reference, shape, spacing, classes: ["background", "kidney", "tumor"] });
 */
export function evaluateCase({ id, classes, regions, metrics, ...maps }: EvaluateCaseOptions): EvaluationRow[] {
  requireKnownOptions("evaluateCase", maps, ["prediction", "reference", "shape", "spacing", "id", "classes", "regions", "metrics"]);
  return evaluateComparison(new LabelMapComparison(maps), { id, classes, ...(regions && { regions }), ...(metrics && { metrics }) });
}
