import { affineIntensity } from "../affine-intensity/affine-intensity.js";
import type { ClipRange } from "../clip/clip.js";
import type { LabelArray } from "../label-array.js";
import { percentiles } from "../percentiles/percentiles.js";
import { type ChannelStatistics, statistics } from "../statistics/statistics.js";

export type NormalizeMode = "z-score" | "min-max" | "grayscale" | "percentile";

export interface NormalizeOptions {
  readonly mode: NormalizeMode;
  /** Interleaved channels. Default 1. */
  readonly channels?: number;
  /** Statistics of each channel alone; otherwise of all voxels together. Default true. */
  readonly perChannel?: boolean;
  /** Added to numerator and denominator, so that a constant image becomes 1 (255 for grayscale). Default 1e-6, MIScnn's. */
  readonly epsilon?: number;
  /** Where "min-max" and "percentile" put the smallest and the largest voxel. Default [0, 1]. */
  readonly range?: readonly [number, number];
  /** For "percentile": what counts as smallest and largest. Default [0.5, 99.5]. */
  readonly percentiles?: readonly [number, number];
  /** Clips first, in the same passes. */
  readonly clip?: ClipRange;
  /** Takes the statistics from labelled voxels only (one label per voxel); without any such voxel, from all. */
  readonly labels?: LabelArray;
}

/**
 * z-score `(x - mean + ε)/(std + ε)`, min-max `(x - min + ε)/(max - min + ε)` put onto `range`, grayscale `round(255·min-max)` with halves to even, or
 * percentile: min-max of what is first clipped to two percentiles. One reading pass for the statistics, one pass for the rest. `output` may be `input`.
 * Extra memory: none; for "percentile" 512 KiB, and a copy of the voxels where there are several channels or `labels`.
 *
 * @shape input (…, C) interleaved → same
 * @source MIScnn 1.4, subfunctions/normalization.py (behavior)
 */
export function normalize(input: Float32Array, output: Float32Array, options: NormalizeOptions): void {
  const { mode, channels = 1, perChannel = true, epsilon = 1e-6, range = [0, 1], clip } = options;
  const groups = perChannel ? channels : 1;
  const labels = options.labels && groups < channels ? repeated(options.labels, channels) : options.labels;
  if (mode === "percentile") {
    const bounds = boundsOf(input, groups, options, labels);
    const terms = affineTerms("min-max", bounds, epsilon, range);
    affineIntensity(input, output, { channels: groups, ...terms, clip: { min: bounds.map(({ min }) => min), max: bounds.map(({ max }) => max) } });
    return;
  }
  const limits = clip ? { clip } : {};
  let measured = labels ? statistics(input, { channels: groups, labels, ...limits }) : undefined;
  if (!measured || measured.some(({ count }) => count === 0)) measured = statistics(input, { channels: groups, ...limits });
  const clipped = clip ? { clip: { min: clip.min, max: clip.max } } : {};
  affineIntensity(input, output, { channels: groups, ...affineTerms(mode, measured, epsilon, range), round: mode === "grayscale", ...clipped });
}

type Bounds = Pick<ChannelStatistics, "min" | "max" | "mean" | "std">;

function affineTerms(mode: Exclude<NormalizeMode, "percentile">, measured: readonly Bounds[], epsilon: number, range: readonly [number, number]) {
  switch (mode) {
    case "z-score": {
      const scale = measured.map(({ std }) => 1 / (std + epsilon));
      return { shift: measured.map(({ mean }) => mean), scale, offset: scale.map((k) => epsilon * k) };
    }
    case "min-max":
    case "grayscale": {
      const [from, to] = mode === "grayscale" ? [0, 255] : range;
      const scale = measured.map(({ min, max }) => (to - from) / (max - min + epsilon));
      return { shift: measured.map(({ min }) => min), scale, offset: scale.map((k) => epsilon * k + from) };
    }
    default:
      return mode satisfies never;
  }
}

function boundsOf(input: Float32Array, groups: number, { clip, percentiles: ranks = [0.5, 99.5] }: NormalizeOptions, labels?: LabelArray): Bounds[] {
  // One copy serves all channels.
  const copy = groups === 1 && !labels ? undefined : new Float32Array(input.length / groups);
  return Array.from({ length: groups }, (_, c) => {
    const [low, high] = percentiles(copy ? voxelsOf(input, groups, c, copy, labels) : input, ranks) as [number, number];
    const limited = (x: number): number => (clip ? Math.min(Math.max(x, clip.min), clip.max) : x);
    return { min: limited(low), max: limited(high), mean: 0, std: 0 };
  });
}

/** The voxels of one channel, or those of them that are labelled, if any are. */
function voxelsOf(input: Float32Array, channels: number, channel: number, copy: Float32Array, labels?: LabelArray): Float32Array {
  let count = 0;
  for (let v = 0; v < copy.length; v++) if (!labels || labels[v]! > 0) copy[count++] = input[v * channels + channel]!;
  return count > 0 || !labels ? copy.subarray(0, count) : voxelsOf(input, channels, channel, copy);
}

/** One label per element instead of one per voxel. */
function repeated(labels: LabelArray, channels: number): LabelArray {
  return Uint8Array.from({ length: labels.length * channels }, (_, i) => (labels[Math.floor(i / channels)]! > 0 ? 1 : 0));
}
