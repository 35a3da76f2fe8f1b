import { Random } from "../core/random.js";
import { percentile } from "../metrics/index.js";

export interface ValueSummary {
  /** Values that count: those that are not NaN. */
  readonly n: number;
  readonly mean: number | null;
  readonly median: number | null;
  /** Of the sample (n - 1); null for fewer than two values. */
  readonly std: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** 95 % interval of the mean by the percentile bootstrap; null for fewer than two values. */
  readonly interval: readonly [low: number, high: number] | null;
}

const RESAMPLES = 2000;

/**
 * Mean, median, deviation, range and bootstrap interval of the values that are not NaN.
 *
 * @source Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13, with a fixed seed
 * @example
 * summarizeValues([0.9, 0.95, Number.NaN]); // n 2, mean 0.925
 */
export function summarizeValues(values: readonly number[]): ValueSummary {
  const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  const n = sorted.length;
  if (n === 0) return { n, mean: null, median: null, std: null, min: null, max: null, interval: null };
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    n,
    mean,
    median: percentile(sorted, 50),
    std: n > 1 ? Math.sqrt(squares / (n - 1)) : null,
    min: sorted[0]!,
    max: sorted[n - 1]!,
    interval: n > 1 ? bootstrap(sorted) : null,
  };
}

function bootstrap(values: Float64Array): [number, number] {
  const random = new Random("bootstrap", values.length);
  const means = Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[random.integer(0, values.length - 1)]!;
    return sum / values.length;
  }).sort();
  return [percentile(means, 2.5), percentile(means, 97.5)];
}
