import { requireKnownOptions } from "../core/require-known-options.js";
import type { LabelMapComparison, Metric } from "../metrics/index.js";
import type { EvaluationRow } from "./evaluation-summary.js";
import { standardMetrics } from "./standard-metrics.js";

export interface EvaluateComparisonOptions {
  readonly id: string;
  /** Class names; index = label. The first is the background and is left out. */
  readonly classes: readonly string[];
  /** Several labels taken together, by name: `{ "kidney+tumor": [1, 2] }`. */
  readonly regions?: Readonly<Record<string, readonly number[]>>;
  /** By column name; the standard ones by default. */
  readonly metrics?: Readonly<Record<string, Metric>>;
}

/** As `evaluateCase`, of maps that are gone through already. */
export function evaluateComparison(
  comparison: LabelMapComparison,
  { id, classes, regions = {}, metrics = standardMetrics(), ...unknown }: EvaluateComparisonOptions,
): EvaluationRow[] {
  requireKnownOptions("evaluateComparison", unknown, ["id", "classes", "regions", "metrics"]);
  const named: [string, readonly number[]][] = [
    ...classes.slice(1).map((name, i): [string, number[]] => [name, [i + 1]]),
    ...Object.entries(regions),
  ];
  return named.map(([name, labels]) => {
    const own = comparison.of(labels);
    const { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn } = own.counts;
    return {
      id,
      class: name,
      labels,
      state: own.state,
      counts: { tp, fp, fn, tn },
      volumes: { reference: (tp + fn) * own.voxelVolume, prediction: (tp + fp) * own.voxelVolume },
      metrics: Object.fromEntries(Object.entries(metrics).map(([column, metric]) => [column, metric(own)])),
    };
  });
}
