import type { LabelArray } from "../label-array.js";
import type { ChannelStatistics } from "./statistics.js";

/** Two passes per channel: the mean first, then the squared deviations from it, so nothing cancels. */
export function statisticsReference(
  input: Float32Array,
  channels: number,
  clip: readonly [number, number],
  labels?: LabelArray,
  label?: number,
): ChannelStatistics[] {
  const voxels = input.length / channels;
  const low = Math.fround(clip[0]);
  const high = Math.fround(clip[1]);
  const counts = (v: number): boolean => !labels || (label === undefined ? labels[v]! > 0 : labels[v] === label);
  const result: ChannelStatistics[] = [];
  for (let c = 0; c < channels; c++) {
    let [count, sum, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let v = 0; v < voxels; v++) {
      if (!counts(v)) continue;
      const x = Math.min(Math.max(input[v * channels + c]!, low), high);
      count++;
      sum += x;
      if (x < min) min = x;
      if (x > max) max = x;
    }
    const mean = sum / count;
    let squares = 0;
    for (let v = 0; v < voxels; v++) {
      if (counts(v)) squares += (Math.min(Math.max(input[v * channels + c]!, low), high) - mean) ** 2;
    }
    result.push({ count, min, max, mean, std: Math.sqrt(squares / count) });
  }
  return result;
}
