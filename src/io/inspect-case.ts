import { stat } from "node:fs/promises";
import type { CaseRef, DataSet } from "../core/case.js";
import { errorMessage } from "../core/errors.js";
import type { Shape4, Triple } from "../core/shape.js";
import { labelCounts } from "../kernels/label-counts/label-counts.js";
import { percentiles } from "../kernels/percentiles/percentiles.js";
import { statistics } from "../kernels/statistics/statistics.js";
import type { CaseTask } from "./each-case.js";
import { filesOfVolume } from "./files-of-volume.js";
import { type CaseIntensities, caseIntensities } from "./foreground-intensities.js";
import { type LatticeHistogram, latticeWidth } from "./lattice-histogram.js";
import { loadCase } from "./load-case.js";

/** Percentiles that are listed: the ends that normalization clips at, and the middle. */
export const INSPECTED_PERCENTILES = [0.5, 5, 50, 95, 99.5] as const;

/** Bins of a histogram, at most. */
export const INSPECTED_BINS = 256;

/** Intensities of the voxels of one class. */
export interface ClassIntensities {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
}

export interface ChannelSummary extends ClassIntensities {
  /** At `INSPECTED_PERCENTILES`. */
  readonly percentiles: readonly number[];
  /** Of the voxels of each class, index = label; null for a class that the case has not; absent without a label. */
  readonly classes?: readonly (ClassIntensities | null)[];
}

export interface CaseSummary {
  readonly id: string;
  /** Canonical `[depth, height, width, channels]`. */
  readonly shape: Shape4;
  /** `[z, y, x]` in mm. */
  readonly spacing: Triple;
  readonly orientation: string;
  readonly dtype: string;
  /** Bytes of the files on disk; 0 for cases that come from no file. */
  readonly bytes: { readonly image: number; readonly label: number };
  readonly channels: readonly ChannelSummary[];
  /** Voxels of each class, index = label; absent without a label. */
  readonly classVoxels?: readonly number[];
}

/** A case with its histograms: per channel of all voxels, and per class. */
export interface InspectedCase {
  readonly summary: CaseSummary;
  /** For the statistics of the foreground over all cases; absent without a label. */
  readonly foreground?: CaseIntensities;
  readonly histograms: readonly { readonly all: LatticeHistogram; readonly classes: readonly LatticeHistogram[] }[];
}

/** A case that cannot be read. */
export interface UnreadableCase {
  readonly id: string;
  readonly message: string;
}

/**
 * The task of a worker thread, which finds it by name: `inspectCase` of the data set that the payload describes.
 *
 * @public
 */
export function inspectCaseTask({ ref, classes, channels }: CaseTask<null>): Promise<InspectedCase | UnreadableCase> {
  return inspectCase({ classes, channels, list: async () => [ref] }, ref);
}

/** Reads a case and lists what it is; one that cannot be read comes back with its reason. */
export async function inspectCase(dataset: DataSet, ref: CaseRef): Promise<InspectedCase | UnreadableCase> {
  try {
    return await summarize(dataset, ref);
  } catch (error) {
    return { id: ref.id, message: errorMessage(error) };
  }
}

async function summarize(dataset: DataSet, ref: CaseRef): Promise<InspectedCase> {
  const { id, shape, geometry, orientation, dtype, image, label } = await loadCase(dataset, ref);
  const count = shape[3];
  const counts = label && labelCounts(label);
  // A label map may lack the last classes, or hold undeclared ones.
  const classVoxels = counts && Array.from({ length: Math.max(counts.length, dataset.classes.length) }, (_, value) => counts[value] ?? 0);
  const histograms: InspectedCase["histograms"][number][] = [];
  const channels = statistics(image, { channels: count }).map(({ min, max, mean, std }, channel): ChannelSummary => {
    const values = count === 1 ? image : image.filter((_, n) => n % count === channel);
    const perClass = classVoxels && classIntensities(values, label!, classVoxels, [min, max]);
    histograms.push({ all: perClass?.all ?? histogramOf(values, [min, max]), classes: perClass?.histograms ?? [] });
    return { min, max, mean, std, percentiles: percentiles(values, INSPECTED_PERCENTILES), ...(perClass && { classes: perClass.intensities }) };
  });
  const bytes = { image: await sizeOf(ref.images), label: await sizeOf(ref.label === undefined ? [] : [ref.label]) };
  const summary = { id, shape, spacing: geometry.spacing, orientation, dtype, bytes, channels, ...(classVoxels ? { classVoxels } : {}) };
  const foreground = label && caseIntensities(image, count, label);
  return { summary, histograms, ...(foreground && { foreground }) };
}

function histogramOf(values: Float32Array, [min, max]: readonly [number, number]): LatticeHistogram {
  const width = latticeWidth(min, max, INSPECTED_BINS);
  const first = Math.floor(min / width);
  const counts = new Array<number>(Math.floor(max / width) - first + 1).fill(0);
  for (let i = 0; i < values.length; i++) counts[Math.floor(values[i]! / width) - first]!++;
  return { width, first, counts };
}

/** One pass over the voxels for all classes. */
function classIntensities(
  values: Float32Array,
  label: Uint8Array | Uint16Array,
  classVoxels: readonly number[],
  [min, max]: readonly [number, number],
): { readonly intensities: (ClassIntensities | null)[]; readonly histograms: LatticeHistogram[]; readonly all: LatticeHistogram } {
  const width = latticeWidth(min, max, INSPECTED_BINS);
  const first = Math.floor(min / width);
  const bins = Math.floor(max / width) - first + 1;
  const classes = classVoxels.length;
  const counts = new Float64Array(classes * bins);
  const low = new Float64Array(classes).fill(Number.POSITIVE_INFINITY);
  const high = new Float64Array(classes).fill(Number.NEGATIVE_INFINITY);
  const sums = new Float64Array(classes);
  const squares = new Float64Array(classes);
  // Around the middle of the range, where squares lose the fewest digits.
  const origin = (min + max) / 2;
  for (let i = 0; i < values.length; i++) {
    const own = label[i]!;
    const value = values[i]!;
    if (value < low[own]!) low[own] = value;
    if (value > high[own]!) high[own] = value;
    sums[own]! += value - origin;
    squares[own]! += (value - origin) * (value - origin);
    counts[own * bins + Math.floor(value / width) - first]!++;
  }
  const all = new Array<number>(bins).fill(0);
  counts.forEach((count, at) => {
    all[at % bins]! += count;
  });
  return {
    intensities: classVoxels.map((voxels, own) => {
      if (voxels === 0) return null;
      const mean = sums[own]! / voxels;
      return { min: low[own]!, max: high[own]!, mean: origin + mean, std: Math.sqrt(Math.max(0, squares[own]! / voxels - mean * mean)) };
    }),
    histograms: classVoxels.map((voxels, own) => ({ width, first, counts: voxels === 0 ? [] : [...counts.subarray(own * bins, (own + 1) * bins)] })),
    all: { width, first, counts: all },
  };
}

async function sizeOf(paths: readonly string[]): Promise<number> {
  // Several channels may be one file.
  const files = (await Promise.all([...new Set(paths)].map(filesOfVolume))).flat();
  const sizes = await Promise.all(files.map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
