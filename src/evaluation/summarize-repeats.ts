import { requireKnownOptions } from "../core/require-known-options.js";
import { maskState } from "../metrics/index.js";
import { type EvaluationRow, type EvaluationSummary, type SummarizeEvaluationOptions, summarizeEvaluation } from "./evaluation-summary.js";
import type { Splits } from "./splits.js";

/**
 * Sums up the held-out cases of a cross-validation. Where every case is held out several times, it counts once, with its mean over the repeats, so that
 * deviations and intervals stay those of cases; the means of each repeat stand beside. The confusion table is the sum over all repeats.
 *
 * @example
 * summarizeRepeats(rows, splits).repeats; // [{ dice: 0.91, … }, { dice: 0.92, … }]
 */
export function summarizeRepeats(rows: readonly EvaluationRow[], splits: Splits, options: SummarizeEvaluationOptions = {}): EvaluationSummary {
  requireKnownOptions("summarizeRepeats", options, ["missing", "failed", "regions", "classes", "confusions"]);
  const repeatOf = ({ fold = 0 }: EvaluationRow): number => splits[fold]?.repeat ?? 0;
  const repeats = [...new Set(rows.map(repeatOf))].sort((a, b) => a - b);
  if (repeats.length < 2) return summarizeEvaluation(rows, options);
  const byCase = new Map<string, EvaluationRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.id, row.class]);
    byCase.set(key, [...(byCase.get(key) ?? []), row]);
  }
  const summary = summarizeEvaluation([...byCase.values()].map(averaged), options);
  return {
    ...summary,
    repeats: repeats.map((repeat) => {
      const { meanOverClasses } = summarizeEvaluation(
        rows.filter((row) => repeatOf(row) === repeat),
        { ...(options.regions && { regions: options.regions }) },
      );
      return Object.fromEntries(Object.entries(meanOverClasses).map(([column, { mean }]) => [column, mean]));
    }),
  };
}

/** One class of one case over all repeats. */
function averaged(rows: readonly EvaluationRow[]): EvaluationRow {
  const { id, class: name, labels, metrics } = rows[0]!;
  const sum = (of: (row: EvaluationRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const counts = {
    tp: sum((row) => row.counts.tp),
    fp: sum((row) => row.counts.fp),
    fn: sum((row) => row.counts.fn),
    tn: sum((row) => row.counts.tn),
  };
  const { tp: truePositives, fp: falsePositives, fn: falseNegatives, tn: trueNegatives } = counts;
  return {
    id,
    class: name,
    labels,
    counts,
    state: maskState({ truePositives, falsePositives, falseNegatives, trueNegatives }),
    volumes: {
      reference: sum((row) => row.volumes.reference) / rows.length,
      prediction: sum((row) => row.volumes.prediction) / rows.length,
    },
    metrics: Object.fromEntries(
      Object.keys(metrics).map((column) => {
        const known = rows.map((row) => row.metrics[column]!).filter((value) => !Number.isNaN(value));
        return [column, known.length === 0 ? Number.NaN : known.reduce((total, value) => total + value, 0) / known.length];
      }),
    ),
  };
}
