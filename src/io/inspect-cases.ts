import type { DataSet } from "../core/case.js";
import { errorMessage } from "../core/errors.js";
import type { Shape4, Triple } from "../core/shape.js";
import { labelCounts } from "../kernels/label-counts/label-counts.js";
import { percentiles } from "../kernels/percentiles/percentiles.js";
import { statistics } from "../kernels/statistics/statistics.js";
import { type CaseIntensities, caseIntensities, type ForegroundIntensities, foregroundIntensities } from "./foreground-intensities.js";
import { loadCase } from "./load-case.js";

/** Percentiles that are listed: the ends that normalization clips at, and the middle. */
export const INSPECTED_PERCENTILES = [0.5, 5, 50, 95, 99.5] as const;

export interface ChannelSummary {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
  /** At `INSPECTED_PERCENTILES`. */
  readonly percentiles: readonly number[];
}

export interface CaseSummary {
  readonly id: string;
  /** Canonical `[depth, height, width, channels]`. */
  readonly shape: Shape4;
  /** `[z, y, x]` in mm. */
  readonly spacing: Triple;
  readonly orientation: string;
  readonly dtype: string;
  readonly channels: readonly ChannelSummary[];
  /** Voxels of each class, index = label; absent without a label. */
  readonly classVoxels?: readonly number[];
}

export interface CasesSummary {
  readonly classes: readonly string[];
  readonly cases: readonly CaseSummary[];
  /** Cases that could not be read. */
  readonly failed: readonly { readonly id: string; readonly message: string }[];
  readonly totals: {
    readonly cases: number;
    readonly labelled: number;
    readonly voxels: number;
    /** Component-wise over all cases. */
    readonly minShape: Triple;
    readonly maxShape: Triple;
    readonly medianShape: Triple;
    readonly medianSpacing: Triple;
    /** Voxels of each class over all cases. */
    readonly classVoxels: readonly number[];
    /** Cases in which each class occurs. */
    readonly classCases: readonly number[];
    /** Smallest and largest voxel value of each channel. */
    readonly range: readonly (readonly [number, number])[];
    /** Percentiles 0.5 and 99.5, mean and deviation of the voxels with a label above 0, per channel, every case with the same weight: for `normalize({ mode: "ct" })`. Absent without any. */
    readonly foreground?: ForegroundIntensities;
  };
}

export interface InspectCasesOptions {
  /** Called after each case, for progress. */
  readonly onCase?: (summary: CaseSummary | { readonly id: string; readonly message: string }, done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Reads all cases, one at a time, and lists what they are: shapes, spacing, orientation, intensities per channel, voxels per class.
 * A case that cannot be read is listed with its reason and does not stop the others.
 *
 * @units spacing in mm, intensities as stored after scaling
 * @label counted per class
 * @throws what `dataset.list()` throws
 * @example
 * const { totals } = await inspectCases(niftiCases({ root, classes }));
 */
export async function inspectCases(dataset: DataSet, { onCase, signal }: InspectCasesOptions = {}): Promise<CasesSummary> {
  const refs = await dataset.list();
  const cases: CaseSummary[] = [];
  const failed: { id: string; message: string }[] = [];
  const foregrounds: CaseIntensities[] = [];
  for (const [n, ref] of refs.entries()) {
    signal?.throwIfAborted();
    try {
      const { summary, foreground } = await summarize(dataset, ref);
      if (foreground) foregrounds.push(foreground);
      cases.push(summary);
      onCase?.(summary, n + 1, refs.length);
    } catch (error) {
      const failure = { id: ref.id, message: errorMessage(error) };
      failed.push(failure);
      onCase?.(failure, n + 1, refs.length);
    }
  }
  return { classes: dataset.classes, cases, failed, totals: totalsOf(cases, dataset.classes.length, foregroundIntensities(foregrounds)) };
}

async function summarize(
  dataset: DataSet,
  ref: Parameters<typeof loadCase>[1],
): Promise<{ readonly summary: CaseSummary; readonly foreground: CaseIntensities | undefined }> {
  const { id, shape, geometry, orientation, dtype, image, label } = await loadCase(dataset, ref);
  const count = shape[3];
  const channels = statistics(image, { channels: count }).map(({ min, max, mean, std }, c) => {
    const values = count === 1 ? image : image.filter((_, n) => n % count === c);
    return { min, max, mean, std, percentiles: percentiles(values, INSPECTED_PERCENTILES) };
  });
  const counts = label && labelCounts(label);
  // A label map may lack the last classes, or hold undeclared ones.
  const classVoxels = counts && Array.from({ length: Math.max(counts.length, dataset.classes.length) }, (_, value) => counts[value] ?? 0);
  return {
    summary: { id, shape, spacing: geometry.spacing, orientation, dtype, channels, ...(classVoxels ? { classVoxels } : {}) },
    foreground: label && caseIntensities(image, count, label),
  };
}

function totalsOf(cases: readonly CaseSummary[], classes: number, foreground: ForegroundIntensities | undefined): CasesSummary["totals"] {
  const perAxis = (of: (values: readonly number[]) => number, pick: (summary: CaseSummary) => readonly number[]): Triple => {
    const value = (axis: number): number => (cases.length === 0 ? 0 : of(cases.map((summary) => pick(summary)[axis]!)));
    return [value(0), value(1), value(2)];
  };
  const labelled = cases.filter(({ classVoxels }) => classVoxels !== undefined);
  const values = Math.max(classes, ...labelled.map(({ classVoxels }) => classVoxels!.length));
  const overClasses = (add: (voxels: number) => number): number[] =>
    Array.from({ length: values }, (_, value) => labelled.reduce((sum, { classVoxels }) => sum + add(classVoxels![value] ?? 0), 0));
  const channels = Math.max(0, ...cases.map((summary) => summary.channels.length));
  return {
    cases: cases.length,
    labelled: labelled.length,
    voxels: cases.reduce((sum, { shape }) => sum + shape[0] * shape[1] * shape[2], 0),
    minShape: perAxis(
      (extents) => Math.min(...extents),
      ({ shape }) => shape,
    ),
    maxShape: perAxis(
      (extents) => Math.max(...extents),
      ({ shape }) => shape,
    ),
    medianShape: perAxis(median, ({ shape }) => shape),
    medianSpacing: perAxis(median, ({ spacing }) => spacing),
    classVoxels: overClasses((voxels) => voxels),
    classCases: overClasses((voxels) => (voxels > 0 ? 1 : 0)),
    range: Array.from({ length: channels }, (_, c): [number, number] => [
      Math.min(...cases.flatMap((summary) => summary.channels[c]?.min ?? [])),
      Math.max(...cases.flatMap((summary) => summary.channels[c]?.max ?? [])),
    ]),
    ...(foreground && { foreground }),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
