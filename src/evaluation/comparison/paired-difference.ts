import { summarizeValues } from "../summarize-values.js";
import { wilcoxonSignedRank } from "./wilcoxon-signed-rank.js";

export interface PairedDifference {
  /** Cases with a value on both sides. */
  readonly n: number;
  /** Cases with a value on one side only, which cannot be compared. */
  readonly leftOut: number;
  /** Of `value - baseline` over the cases. */
  readonly mean: number | null;
  /** 95 % percentile bootstrap interval of the mean, over cases; null for fewer than two. */
  readonly interval: readonly [low: number, high: number] | null;
  /** Two-sided Wilcoxon signed-rank test, exact; null for fewer than two cases. */
  readonly p: number | null;
}

/**
 * The mean over cases of `value - baseline`, its bootstrap interval, and a signed-rank test. Values are matched by case id; NaN does not count.
 *
 * @example
 * pairedDifference(new Map([["a", 0.9], ["b", 0.8]]), new Map([["a", 0.85], ["b", 0.8]])).mean; // 0.025
 */
export function pairedDifference(values: ReadonlyMap<string, number>, baseline: ReadonlyMap<string, number>): PairedDifference {
  const ids = [...new Set([...values.keys(), ...baseline.keys()])].sort();
  const differences: number[] = [];
  let leftOut = 0;
  for (const id of ids) {
    const [value, base] = [values.get(id) ?? Number.NaN, baseline.get(id) ?? Number.NaN];
    if (Number.isNaN(value) && Number.isNaN(base)) continue;
    if (Number.isNaN(value) || Number.isNaN(base)) leftOut++;
    else differences.push(rounded(value, base));
  }
  const { n, mean, interval } = summarizeValues(differences);
  return { n, leftOut, mean, interval, p: n < 2 ? null : wilcoxonSignedRank(differences).p };
}

/** The difference without the noise of subtracting, which would part what is equal. */
function rounded(value: number, base: number): number {
  const difference = value - base;
  return Math.abs(difference) < 1e-12 * Math.max(Math.abs(value), Math.abs(base)) ? 0 : Number(difference.toPrecision(12));
}
