import { requireKnownOptions } from "../core/require-known-options.js";
import type { MaskState } from "../metrics/index.js";
import type { CaseConfusion } from "./confusion/case-confusion.js";
import { sumConfusions } from "./confusion/sum-confusions.js";
import { summarizeValues, type ValueSummary } from "./summarize-values.js";

/** One class of one case: a row of `detailed.tsv`. */
export interface EvaluationRow {
  readonly id: string;
  /** Of a cross-validation. */
  readonly fold?: number;
  readonly class: string;
  readonly labels: readonly number[];
  readonly state: MaskState;
  readonly counts: { readonly tp: number; readonly fp: number; readonly fn: number; readonly tn: number };
  readonly volumes: { readonly reference: number; readonly prediction: number };
  /** NaN: does not count. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface ClassSummary {
  readonly labels: readonly number[];
  /** Cases by which of the two masks held voxels. */
  readonly states: Readonly<Record<MaskState, number>>;
  /** Of the cases without the class, the share in which nothing was predicted; null where every case has it. */
  readonly absentCorrectly: number | null;
  readonly metrics: Readonly<Record<string, ValueSummary>>;
}

/** The content of `summary.json`. */
export interface EvaluationSummary {
  readonly format: "voxstream-evaluation";
  readonly cases: number;
  readonly classes: Readonly<Record<string, ClassSummary>>;
  /** Mean over classes of each class's mean; classes without a value are left out and named. */
  readonly meanOverClasses: Readonly<Record<string, { readonly mean: number | null; readonly classes: number; readonly leftOut: readonly string[] }>>;
  /** Voxels of all cases, row = true class, column = predicted class, in the order of `confusionClasses`; those of each case stand in `confusion.json`. */
  readonly confusion?: readonly (readonly number[])[];
  /** All classes, the background first. */
  readonly confusionClasses?: readonly string[];
  /** Where all cases are held out several times: the means of each repeat. Above, each case then counts with its mean over the repeats. */
  readonly repeats?: readonly Readonly<Record<string, number | null>>[];
  /** Cases that have a label and no prediction. */
  readonly missing: readonly string[];
  readonly failed: readonly { readonly id: string; readonly message: string }[];
  readonly policy: string;
}

const POLICY =
  "Per case and class, A = prediction, B = reference. Both empty: NaN, left out of means, counted in states.both_empty. Only one empty: overlaps and NSD are 0, " +
  "distances are the diagonal of the image. HD95 is the larger of the two directed 95th percentiles (linear between ranks) over surface voxels, which are " +
  "foreground voxels with one of six face neighbors outside; the border of the image counts as outside. Distances use the spacing, in mm. Means are per " +
  "class over cases, then over foreground classes. Deviations are of the sample (n - 1). Intervals are 95 % percentile bootstrap intervals of the mean.";

export interface SummarizeEvaluationOptions {
  readonly missing?: readonly string[];
  readonly failed?: readonly { readonly id: string; readonly message: string }[];
  /** Rows of regions (several labels together) are summed up on their own and are no part of means over classes. */
  readonly regions?: readonly string[];
  /** Names of all classes, for `confusionClasses`. */
  readonly classes?: readonly string[];
  /** Of all cases; by default none. */
  readonly confusions?: readonly CaseConfusion[];
}

/** Per class and metric: mean, median, deviation, range, interval and the number of cases behind them. */
export function summarizeEvaluation(
  rows: readonly EvaluationRow[],
  { missing = [], failed = [], regions = [], classes: confusionClasses = [], confusions = [], ...unknown }: SummarizeEvaluationOptions = {},
): EvaluationSummary {
  requireKnownOptions("summarizeEvaluation", unknown, ["missing", "failed", "regions", "classes", "confusions"]);
  const names = [...new Set(rows.map((row) => row.class))];
  const columns = Object.keys(rows[0]?.metrics ?? {});
  const classes = Object.fromEntries(
    names.map((name): [string, ClassSummary] => {
      const own = rows.filter((row) => row.class === name);
      const count = (state: MaskState): number => own.filter((row) => row.state === state).length;
      const states = { ok: count("ok"), both_empty: count("both_empty"), ref_empty: count("ref_empty"), pred_empty: count("pred_empty") };
      const absent = states.both_empty + states.ref_empty;
      const metrics = Object.fromEntries(columns.map((column) => [column, summarizeValues(own.map((row) => row.metrics[column]!))]));
      return [name, { labels: own[0]!.labels, states, absentCorrectly: absent === 0 ? null : states.both_empty / absent, metrics }];
    }),
  );
  const plain = names.filter((name) => !regions.includes(name));
  const meanOverClasses = Object.fromEntries(
    columns.map((column) => {
      const means = plain.map((name) => classes[name]!.metrics[column]!.mean);
      const known = means.filter((mean) => mean !== null);
      return [
        column,
        {
          mean: known.length === 0 ? null : known.reduce((sum, mean) => sum + mean, 0) / known.length,
          classes: known.length,
          leftOut: plain.filter((_, i) => means[i] === null),
        },
      ];
    }),
  );
  return {
    format: "voxstream-evaluation",
    cases: new Set(rows.map(({ id }) => id)).size,
    classes,
    meanOverClasses,
    ...(confusions.length > 0 && { confusionClasses, confusion: sumConfusions(confusions) }),
    missing,
    failed,
    policy: POLICY,
  };
}
