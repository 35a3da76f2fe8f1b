import { affineIntensity } from "../affine-intensity/affine-intensity.js";
import type { ClipRange } from "../clip/clip.js";
import type { LabelArray } from "../label-array.js";
import { type ChannelStatistics, statistics } from "../statistics/statistics.js";

export type NormalizeMode = "z-score" | "min-max" | "grayscale";

export interface NormalizeOptions {
  readonly mode: NormalizeMode;
  /** Interleaved channels. Default 1. */
  readonly channels?: number;
  /** Statistics of each channel alone; otherwise of all voxels together. Default true. */
  readonly perChannel?: boolean;
  /** Added to numerator and denominator, so that a constant image becomes 1 (255 for grayscale). Default 1e-6, MIScnn's. */
  readonly epsilon?: number;
  /** Where "min-max" puts the smallest and the largest voxel. Default [0, 1]. */
  readonly range?: readonly [number, number];
  /** Clips first, in the same passes. */
  readonly clip?: ClipRange;
  /** Takes the statistics from labelled voxels only (one label per voxel); without any such voxel, from all. */
  readonly labels?: LabelArray;
}

/**
 * z-score `(x - mean + ε)/(std + ε)`, min-max `(x - min + ε)/(max - min + ε)` put onto `range`, or grayscale `round(255·min-max)` with halves to even.
 * One reading pass for the statistics, one pass for the rest. `output` may be `input`. No extra memory.
 *
 * @shape input (…, C) interleaved → same
 * @source MIScnn 1.4, subfunctions/normalization.py (behavior)
 */
export function normalize(input: Float32Array, output: Float32Array, options: NormalizeOptions): void {
  const { mode, channels = 1, perChannel = true, epsilon = 1e-6, range = [0, 1], clip, labels } = options;
  const groups = perChannel ? channels : 1;
  const limits = clip ? { clip } : {};
  let measured = labels && groups === channels ? statistics(input, { channels: groups, labels, ...limits }) : undefined;
  if (!measured || measured.some(({ count }) => count === 0)) measured = statistics(input, { channels: groups, ...limits });
  const clipped = clip ? { clip: { min: clip.min, max: clip.max } } : {};
  affineIntensity(input, output, { channels: groups, ...affineTerms(mode, measured, epsilon, range), round: mode === "grayscale", ...clipped });
}

function affineTerms(mode: NormalizeMode, measured: ChannelStatistics[], epsilon: number, range: readonly [number, number]) {
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
