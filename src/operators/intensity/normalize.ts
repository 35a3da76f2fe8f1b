import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import { transform } from "../transform.js";

export interface NormalizeOptions {
  /** Default "z-score". */
  readonly mode?: "z-score" | "min-max" | "grayscale" | "percentile" | "ct";
  /** For "min-max" and "percentile": where the smallest and the largest voxel go. Default [0, 1]. */
  readonly range?: readonly [number, number];
  /** For "percentile": what counts as smallest and as largest; what lies beyond is clipped. Default [0.5, 99.5], nnU-Net's for CT. */
  readonly percentiles?: readonly [number, number];
  /** Statistics of each channel on its own, since the modalities of a case have scales of their own; false takes all channels together, as MIScnn does. Default true. */
  readonly perChannel?: boolean;
  /**
   * Statistics of the voxels above a value in any channel only, such as the brain without the air around it; all other voxels become `outside`, by default
   * what the formula gives. It looks at the image alone, since a case that is predicted has no label. A case without such voxels counts as a whole.
   */
  readonly foreground?: { readonly above: number; readonly outside?: number };
  /** For "ct": percentiles 0.5 and 99.5, mean and deviation of the foreground of the whole data set, as `intensityStatistics` finds them; one number or one per channel. */
  readonly low?: number | readonly number[];
  readonly high?: number | readonly number[];
  readonly mean?: number | readonly number[];
  readonly deviation?: number | readonly number[];
}

const MODES = ["z-score", "min-max", "grayscale", "percentile", "ct"] as const;

/**
 * z-score: (x - mean + ε)/(std + ε); min-max: (x - min + ε)/(max - min + ε) put onto `range`; grayscale: round(255·min-max), halves to even; percentile:
 * min-max of what is first clipped to two percentiles; ct: (min(max(x, `low`), `high`) - `mean`)/`deviation` with numbers of the data set. ε = 1e-6.
 * Statistics are of the whole sample: in front of `patch` that is the case. A constant image becomes 1 (the upper end of the range, 255).
 *
 * @shape image (D, H, W, C) → same
 * @units in any (HU for "ct" as a rule), out unitless
 * @label unchanged
 * @throws `ERR_OPTION` when the mode is unknown, a range or the percentiles are not two ascending numbers, or numbers of "ct" are missing or stand with another mode
 * @source MIScnn 1.4, subfunctions/normalization.py (first three); nnU-Net 2, explanation_normalization.md (ct, foreground)
 * @example
 * samples.pipe(normalize({ mode: "min-max", range: [-1, 1] }))
 */
export function normalize(options: NormalizeOptions = {}): OperatorFunction<Sample, Sample> {
  requireKnownOptions("normalize", options, ["mode", "range", "percentiles", "perChannel", "foreground", "low", "high", "mean", "deviation"]);
  const { mode = "z-score", range = [0, 1], percentiles, perChannel = true, foreground } = options;
  requireOption((MODES as readonly unknown[]).includes(mode), "normalize", "mode", MODES.map((name) => `"${name}"`).join(", "), mode);
  if (mode === "ct") return transform({ name: "normalize", parameters: { mode, ...ctNumbers(options) } });
  for (const name of ["low", "high", "mean", "deviation"] as const) {
    requireOption(options[name] === undefined, "normalize", name, 'given with mode "ct" only', options[name]);
  }
  const isRange = range.length === 2 && range.every(Number.isFinite) && range[0] < range[1];
  requireOption(isRange, "normalize", "range", "two finite numbers, the smaller one first", range);
  requireOption(typeof perChannel === "boolean", "normalize", "perChannel", "true or false", perChannel);
  if (percentiles !== undefined) {
    const [low, high] = percentiles;
    const isPair = mode === "percentile" && percentiles.length === 2 && low >= 0 && low < high && high <= 100;
    requireOption(isPair, "normalize", "percentiles", 'two ascending numbers in 0..100, with mode "percentile"', percentiles);
  }
  const { above, outside } = foreground ?? {};
  requireOption(foreground === undefined || Number.isFinite(above), "normalize", "foreground.above", "a finite number", above);
  requireOption(outside === undefined || Number.isFinite(outside), "normalize", "foreground.outside", "a finite number", outside);
  return transform({
    name: "normalize",
    parameters: {
      mode,
      range,
      perChannel,
      ...(mode === "percentile" && { percentiles: percentiles ?? [0.5, 99.5] }),
      ...(above !== undefined && { foreground: { above, outside: outside ?? null } }),
    },
  });
}

function ctNumbers(options: NormalizeOptions): Record<"low" | "high" | "mean" | "deviation", readonly number[]> {
  for (const name of ["range", "percentiles", "perChannel", "foreground"] as const) {
    requireOption(options[name] === undefined, "normalize", name, 'absent with mode "ct", whose numbers are the data set\'s', options[name]);
  }
  const listOf = (name: "low" | "high" | "mean" | "deviation"): readonly number[] => {
    const given = options[name];
    const values = typeof given === "number" ? [given] : (given ?? []);
    requireOption(values.length > 0 && values.every(Number.isFinite), "normalize", name, "a finite number, or one per channel", given);
    return values;
  };
  const [low, high, mean, deviation] = [listOf("low"), listOf("high"), listOf("mean"), listOf("deviation")];
  const isAscending = high.length === low.length && high.every((value, c) => value > low[c]!);
  requireOption(isAscending, "normalize", "high", "above low, in as many numbers", options.high);
  requireOption(mean.length === low.length, "normalize", "mean", "in as many numbers as low", options.mean);
  requireOption(
    deviation.length === low.length && deviation.every((value) => value > 0),
    "normalize",
    "deviation",
    "> 0, in as many numbers as low",
    options.deviation,
  );
  return { low, high, mean, deviation };
}
