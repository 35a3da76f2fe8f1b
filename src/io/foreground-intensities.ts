import type { LabelArray } from "../kernels/label-array.js";
import { percentiles } from "../kernels/percentiles/percentiles.js";

/** What one case says of the intensities of its foreground, one channel after the other. */
export interface CaseIntensities {
  /** Voxels with a label above 0. */
  readonly voxels: number;
  readonly channels: readonly { readonly mean: number; readonly variance: number; readonly values: Float32Array }[];
}

/** Numbers of a data set's foreground, one for each channel: what CT normalization takes. */
export interface ForegroundIntensities {
  /** Percentile 0.5. */
  readonly low: readonly number[];
  /** Percentile 99.5. */
  readonly high: readonly number[];
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Values of each case that count for the percentiles. */
const VALUES_PER_CASE = 10_000;

/** Mean, variance and evenly spaced values of the foreground of one case; undefined where it has none. Extra memory: 40 KB per channel. */
export function caseIntensities(image: Float32Array, channels: number, label: LabelArray): CaseIntensities | undefined {
  let voxels = 0;
  for (let v = 0; v < label.length; v++) if (label[v]! > 0) voxels++;
  if (voxels === 0) return undefined;
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  // Deviations from the first voxel, so that nothing cancels under a large offset.
  const first = label.findIndex((value) => value > 0) * channels;
  const values = Array.from({ length: channels }, () => new Float32Array(VALUES_PER_CASE));
  let seen = 0;
  let taken = 0;
  for (let v = 0; v < label.length; v++) {
    if (label[v] === 0) continue;
    // Small foregrounds count some voxels several times, so that every case has the same weight.
    let until = taken;
    while (until < VALUES_PER_CASE && Math.floor(((until + 0.5) * voxels) / VALUES_PER_CASE) === seen) until++;
    for (let c = 0; c < channels; c++) {
      const x = image[v * channels + c]!;
      const d = x - image[first + c]!;
      sums[c]! += d;
      squares[c]! += d * d;
      if (until > taken) values[c]!.fill(x, taken, until);
    }
    taken = until;
    seen++;
  }
  return {
    voxels,
    channels: values.map((own, c) => {
      const mean = sums[c]! / voxels;
      return { mean: image[first + c]! + mean, variance: Math.max(0, squares[c]! / voxels - mean * mean), values: own };
    }),
  };
}

/**
 * The intensities of several cases together, each with the same weight, however large its foreground is; undefined without any.
 *
 * @source nnU-Net 2, dataset_fingerprint (the same number of values from each case)
 */
export function foregroundIntensities(cases: readonly CaseIntensities[]): ForegroundIntensities | undefined {
  const [any] = cases;
  if (!any) return undefined;
  const perChannel = any.channels.map((_, c) => {
    const own = cases.map(({ channels }) => channels[c]!);
    const mean = own.reduce((sum, one) => sum + one.mean, 0) / own.length;
    const variance = own.reduce((sum, one) => sum + one.variance + (one.mean - mean) ** 2, 0) / own.length;
    const pooled = new Float32Array(own.length * VALUES_PER_CASE);
    for (const [n, { values }] of own.entries()) pooled.set(values, n * VALUES_PER_CASE);
    const [low, high] = percentiles(pooled, [0.5, 99.5]) as [number, number];
    return { low, high, mean, deviation: Math.sqrt(variance) };
  });
  const of = (name: keyof (typeof perChannel)[number]): readonly number[] => perChannel.map((channel) => channel[name]);
  return { low: of("low"), high: of("high"), mean: of("mean"), deviation: of("deviation") };
}
