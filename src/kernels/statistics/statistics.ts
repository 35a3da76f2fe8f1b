import { requireOption } from "../../core/errors.js";
import type { LabelArray } from "../label-array.js";
import { native } from "../native.js";
import { requireElements } from "../require-elements.js";
import { statisticsReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    /** Returns count, min, max, mean, std of each channel. */
    statistics?(input: Float32Array, channels: number, low: number, high: number, labels: LabelArray | undefined, label: number): Float64Array;
  }
}

export interface ChannelStatistics {
  /** Voxels counted; when 0 the other fields are NaN or infinite. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Population standard deviation. */
  readonly std: number;
}

export interface StatisticsOptions {
  /** Interleaved channels of `input`. Default 1. */
  readonly channels?: number;
  /** Counts every voxel as if it had been clipped to this range first, without writing anything. */
  readonly clip?: { readonly min: number; readonly max: number };
  /** Counts only voxels that are labelled here: one label per voxel, in the order of `input`. */
  readonly labels?: LabelArray;
  /** With `labels`: only this label. Default: every label above 0. */
  readonly label?: number;
}

/**
 * Count, minimum, maximum, mean and population deviation of each channel, in double precision (deviations are summed per block around the block's own
 * mean, so a large mean does not cancel). Voxels are finite. No extra memory.
 *
 * @shape input (…, C) interleaved
 * @throws `ERR_SHAPE` when lengths do not fit
 */
export function statistics(input: Float32Array, { channels = 1, clip, labels, label }: StatisticsOptions = {}): ChannelStatistics[] {
  requireOption(Number.isSafeInteger(channels) && channels >= 1, "statistics", "channels", ">= 1", channels);
  requireElements("statistics", "input", input, Math.floor(input.length / channels) * channels);
  if (labels) requireElements("statistics", "labels", labels, input.length / channels);
  const low = clip?.min ?? Number.NEGATIVE_INFINITY;
  const high = clip?.max ?? Number.POSITIVE_INFINITY;
  const addon = native();
  if (!addon?.statistics) return statisticsReference(input, channels, [low, high], labels, label);
  const flat = addon.statistics(input, channels, low, high, labels, label ?? -1);
  return Array.from({ length: channels }, (_, c) => {
    const [count, min, max, mean, std] = flat.subarray(5 * c, 5 * c + 5) as unknown as [number, number, number, number, number];
    return { count, min, max, mean, std };
  });
}
