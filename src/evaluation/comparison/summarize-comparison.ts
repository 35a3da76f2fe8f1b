import { requireKnownOptions } from "../../core/require-known-options.js";
import type { EvaluationRow } from "../evaluation-summary.js";
import { summarizeValues, type ValueSummary } from "../summarize-values.js";
import { holm } from "./holm.js";
import { type PairedDifference, pairedDifference } from "./paired-difference.js";
import type { VariantCost } from "./variant-cost.js";

/** Stands for the mean over the foreground classes of a case. */
export const ALL_CLASSES = "all classes";

/** What one variant scored: rows of all its folds, per seed. */
export interface VariantRows {
  readonly name: string;
  readonly seeds: readonly (readonly EvaluationRow[])[];
  readonly cost: VariantCost;
}

export interface ComparedMetric {
  /** Of the cases; with several seeds, of each case's mean over the seeds. */
  readonly values: ValueSummary;
  /** Against the baseline, case by case; null for the baseline itself. `adjusted` is p after Holm, over all variants. */
  readonly difference: (PairedDifference & { readonly adjusted: number | null }) | null;
}

export interface VariantSummary {
  readonly name: string;
  readonly cost: VariantCost;
  /** By class, `"all classes"` first, then by metric. */
  readonly classes: Readonly<Record<string, Readonly<Record<string, ComparedMetric>>>>;
}

/** The content of `comparison/summary.json`. */
export interface ComparisonSummary {
  readonly format: "voxstream-comparison";
  readonly baseline: string;
  readonly cases: number;
  readonly seeds: readonly number[];
  readonly variants: readonly VariantSummary[];
  readonly policy: string;
}

const POLICY =
  "Every variant is trained on the same cases with the same seeds and scored on the same held-out cases. Per case and class the scores of several seeds are " +
  "averaged first; 'all classes' is the mean over the foreground classes of a case. Intervals are 95 % percentile bootstrap intervals of the mean over cases. " +
  "A difference is the variant's score minus the baseline's on the same case; p is of the two-sided Wilcoxon signed-rank test (exact), and is adjusted after " +
  "Holm for the number of variants. Cases with a score on one side only (a class that is absent, and predicted by one variant only) are left out of pairs and " +
  "counted. Folds share training cases, so neither intervals nor tests see the variance of drawing another training set.";

export interface SummarizeComparisonOptions {
  readonly baseline: string;
  readonly seeds: readonly number[];
}

/** The score of each case: by class, metric and case id, averaged over the seeds. */
export type CaseScores = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, number>>>;

/** Means over seeds per class, metric and case, and `"all classes"`, the mean over the classes of a case. */
export function caseScores(seeds: readonly (readonly EvaluationRow[])[]): CaseScores {
  const rows = seeds.flat();
  const classes = [...new Set(rows.map((row) => row.class))];
  const metrics = Object.keys(rows[0]?.metrics ?? {});
  const ids = [...new Set(rows.map(({ id }) => id))].sort();
  const gathered = new Map<string, number[]>();
  for (const row of rows) {
    for (const metric of metrics) {
      const key = `${row.class}\n${metric}\n${row.id}`;
      gathered.set(key, [...(gathered.get(key) ?? []), row.metrics[metric]!]);
    }
  }
  const scores = new Map<string, Map<string, Map<string, number>>>([[ALL_CLASSES, new Map()], ...classes.map((name) => [name, new Map()] as const)]);
  for (const metric of metrics) {
    const of = (name: string, id: string): number => mean(gathered.get(`${name}\n${metric}\n${id}`) ?? []);
    for (const name of classes) scores.get(name)!.set(metric, new Map(ids.map((id) => [id, of(name, id)])));
    scores.get(ALL_CLASSES)!.set(metric, new Map(ids.map((id) => [id, mean(classes.map((name) => of(name, id)))])));
  }
  return scores;
}

/**
 * Sums up a comparison: per variant, class and metric the mean with its interval, and the paired difference to the baseline with its interval and test.
 *
 * @example
 * summarizeComparison(variants, { baseline: "unet", seeds: [0] }).variants[1].classes.kidney.dice.difference;
 */
export function summarizeComparison(
  variants: readonly VariantRows[],
  { baseline, seeds, ...unknown }: SummarizeComparisonOptions,
): ComparisonSummary {
  requireKnownOptions("summarizeComparison", unknown, ["baseline", "seeds"]);
  const scores = new Map(variants.map((variant) => [variant.name, caseScores(variant.seeds)]));
  const base = scores.get(baseline)!;
  const classNames = [...base.keys()];
  const metrics = [...base.get(ALL_CLASSES)!.keys()];
  const others = variants.filter(({ name }) => name !== baseline);
  const differences = new Map<string, PairedDifference & { readonly adjusted: number | null }>();
  for (const label of classNames) {
    for (const metric of metrics) {
      const pairs = others.map(({ name }) => pairedDifference(scores.get(name)!.get(label)?.get(metric) ?? new Map(), base.get(label)!.get(metric)!));
      const adjusted = holm(pairs.map(({ p }) => p));
      others.forEach(({ name }, at) => {
        differences.set(`${name}\n${label}\n${metric}`, { ...pairs[at]!, adjusted: adjusted[at]! });
      });
    }
  }
  const summaries = variants.map(({ name, cost }): VariantSummary => {
    const own = scores.get(name)!;
    const classes = Object.fromEntries(
      classNames.map((label) => [
        label,
        Object.fromEntries(
          metrics.map((metric): [string, ComparedMetric] => [
            metric,
            {
              values: summarizeValues([...(own.get(label)?.get(metric)?.values() ?? [])]),
              difference: differences.get(`${name}\n${label}\n${metric}`) ?? null,
            },
          ]),
        ),
      ]),
    );
    return { name, cost, classes };
  });
  const cases = base.get(ALL_CLASSES)!.get(metrics[0] ?? "")?.size ?? 0;
  return { format: "voxstream-comparison", baseline, cases, seeds, variants: summaries, policy: POLICY };
}

/** Without what does not count; NaN when nothing does. */
function mean(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? Number.NaN : known.reduce((sum, value) => sum + value, 0) / known.length;
}
