import { parseBytes } from "../core/bytes.js";
import type { DataSet } from "../core/case.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { TaskRunner } from "../core/run-context.js";
import type { Triple } from "../core/shape.js";
import { eachCase } from "./each-case.js";
import { type CaseIntensities, type ForegroundIntensities, foregroundIntensities } from "./foreground-intensities.js";
import { type CaseSummary, type ClassIntensities, INSPECTED_BINS, type InspectedCase, inspectCase, type UnreadableCase } from "./inspect-case.js";
import { type LatticeHistogram, mergeHistograms } from "./lattice-histogram.js";

/** Intensities of one channel over all cases. */
export interface ChannelTotals {
  /** From the smallest to the largest voxel of all cases. */
  readonly range: readonly [min: number, max: number];
  /** What all cases have: from the largest of their smallest voxels to the smallest of their largest; null where that is nothing. */
  readonly sharedRange: readonly [min: number, max: number] | null;
  readonly histogram: LatticeHistogram;
  /** Index = label; null for a class that no case has. */
  readonly classes: readonly ((ClassIntensities & { readonly histogram: LatticeHistogram }) | null)[];
}

export interface CasesSummary {
  readonly classes: readonly string[];
  readonly cases: readonly CaseSummary[];
  /** Cases that could not be read. */
  readonly failed: readonly { readonly id: string; readonly message: string }[];
  /** What is likely to be a mistake: labels that no class declares, each with its cases. */
  readonly warnings: readonly string[];
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
    /** Volume of each class in mm³ over the cases that have it: smallest, median, largest; null where none has. */
    readonly classVolumes: readonly (Triple | null)[];
    /** Smallest and largest voxel value of each channel. */
    readonly range: readonly (readonly [number, number])[];
    readonly channels: readonly ChannelTotals[];
    /** Bytes of all files on disk. */
    readonly bytes: { readonly image: number; readonly label: number };
    /** Percentiles 0.5 and 99.5, mean and deviation of the voxels with a label above 0, per channel, every case with the same weight: for `normalize({ mode: "ct" })`. Absent without any. */
    readonly foreground?: ForegroundIntensities;
  };
}

export interface InspectCasesOptions {
  /** Threads that read cases, such as `createTaskPool()`; without them cases are read here, one at a time. */
  readonly tasks?: TaskRunner;
  /** Memory for all cases that are read at once; "4GB". */
  readonly memory?: string | number;
  /** Called after each case, for progress. */
  readonly onCase?: (summary: CaseSummary | { readonly id: string; readonly message: string }, done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Worker threads load the transpiled copy, under test too. */
const MODULE = new URL(import.meta.url.endsWith(".ts") ? "../../dist/io/inspect-case.js" : "./inspect-case.js", import.meta.url).href;

/**
 * Reads all cases and lists what they are: shapes, spacing, orientation, sizes, intensities per channel and class, histograms, voxels per class.
 * A case that cannot be read is listed with its reason and does not stop the others. The same for any number of threads.
 *
 * @units spacing in mm, volumes in mm³, intensities as stored after scaling
 * @label counted per class
 * @throws `ERR_OPTION`; what `dataset.list()` throws
 * @example
 * const { totals } = await inspectCases(niftiCases({ root, classes }));
 */
export async function inspectCases(
  dataset: DataSet,
  { tasks, memory = "4GB", onCase, signal, ...unknown }: InspectCasesOptions = {},
): Promise<CasesSummary> {
  requireKnownOptions("inspectCases", unknown, ["tasks", "memory", "onCase", "signal"]);
  const cases: CaseSummary[] = [];
  const failed: UnreadableCase[] = [];
  const foregrounds: CaseIntensities[] = [];
  const channels: HistogramTotals[] = [];
  await eachCase<null, InspectedCase | UnreadableCase>({
    dataset,
    options: null,
    local: inspectCase,
    remote: { url: MODULE, export: "inspectCaseTask" },
    tasks,
    budget: parseBytes(memory, "inspectCases", "memory"),
    signal,
    onResult: (result, _, done, total) => {
      if ("message" in result) {
        failed.push(result);
        onCase?.(result, done, total);
        return;
      }
      cases.push(result.summary);
      if (result.foreground) foregrounds.push(result.foreground);
      // Histograms of single cases are not kept: with many cases they would be most of the memory.
      addHistograms(channels, result);
      onCase?.(result.summary, done, total);
    },
  });
  const foreground = foregroundIntensities(foregrounds);
  return {
    classes: dataset.classes,
    cases,
    failed,
    warnings: undeclaredLabels(dataset.classes, cases),
    totals: { ...totalsOf(cases, dataset.classes.length, channels), ...(foreground && { foreground }) },
  };
}

/** Training refuses such labels; counted under "not declared" alone they are easily overlooked. */
function undeclaredLabels(classes: readonly string[], cases: readonly CaseSummary[]): string[] {
  const found = new Map<number, string[]>();
  for (const { id, classVoxels = [] } of cases) {
    for (const [label, voxels] of classVoxels.entries())
      if (label >= classes.length && voxels > 0) found.set(label, [...(found.get(label) ?? []), id]);
  }
  const declared = classes.map((name, label) => `${label} ${name}`).join(", ");
  return [...found].map(([label, ids]) => {
    const named = ids.length > 5 ? `${ids.slice(0, 5).join(", ")} and ${ids.length - 5} more` : ids.join(", ");
    return `label ${label} is in ${ids.length} ${ids.length === 1 ? "case" : "cases"} and no class (${declared}): ${named}; name it with --classes, or map it with mapLabels`;
  });
}

interface HistogramTotals {
  all: LatticeHistogram;
  readonly classes: LatticeHistogram[];
}

const EMPTY: LatticeHistogram = { width: 2 ** -100, first: 0, counts: [] };

function addHistograms(channels: HistogramTotals[], { histograms }: InspectedCase): void {
  for (const [channel, { all, classes }] of histograms.entries()) {
    channels[channel] ??= { all: EMPTY, classes: [] };
    const own = channels[channel];
    own.all = mergeHistograms(own.all, all, INSPECTED_BINS);
    for (const [label, histogram] of classes.entries()) own.classes[label] = mergeHistograms(own.classes[label] ?? EMPTY, histogram, INSPECTED_BINS);
  }
}

function totalsOf(cases: readonly CaseSummary[], classes: number, histograms: readonly HistogramTotals[]): CasesSummary["totals"] {
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
    classVolumes: Array.from({ length: values }, (_, value) => volumesOf(labelled, value)),
    range: Array.from({ length: channels }, (_, channel) => rangeOf(cases, channel)),
    channels: Array.from({ length: channels }, (_, channel) => channelTotals(cases, channel, values, histograms[channel]!)),
    bytes: {
      image: cases.reduce((sum, { bytes }) => sum + bytes.image, 0),
      label: cases.reduce((sum, { bytes }) => sum + bytes.label, 0),
    },
  };
}

function volumesOf(cases: readonly CaseSummary[], label: number): Triple | null {
  const volumes = cases.flatMap(({ classVoxels, spacing }) => {
    const voxels = classVoxels![label] ?? 0;
    return voxels > 0 ? [voxels * spacing[0] * spacing[1] * spacing[2]] : [];
  });
  if (volumes.length === 0) return null;
  return [least(volumes), median(volumes), greatest(volumes)];
}

function rangeOf(cases: readonly CaseSummary[], channel: number): readonly [number, number] {
  const own = cases.flatMap((summary) => summary.channels[channel] ?? []);
  return [least(own.map(({ min }) => min)), greatest(own.map(({ max }) => max))];
}

function channelTotals(cases: readonly CaseSummary[], channel: number, labels: number, { all, classes }: HistogramTotals): ChannelTotals {
  const own = cases.flatMap((summary) => summary.channels[channel] ?? []);
  const shared = [greatest(own.map(({ min }) => min)), least(own.map(({ max }) => max))] as const;
  return {
    range: rangeOf(cases, channel),
    sharedRange: shared[0] <= shared[1] ? shared : null,
    histogram: all,
    classes: Array.from({ length: labels }, (_, label) => {
      const parts = cases.flatMap(({ channels, classVoxels }) => {
        const part = channels[channel]?.classes?.[label];
        return part ? [{ ...part, voxels: classVoxels![label]! }] : [];
      });
      if (parts.length === 0) return null;
      const voxels = parts.reduce((sum, part) => sum + part.voxels, 0);
      const mean = parts.reduce((sum, part) => sum + part.mean * part.voxels, 0) / voxels;
      // Within the cases and between them.
      const variance = parts.reduce((sum, part) => sum + (part.std ** 2 + (part.mean - mean) ** 2) * part.voxels, 0) / voxels;
      return {
        min: least(parts.map(({ min }) => min)),
        max: greatest(parts.map(({ max }) => max)),
        mean,
        std: Math.sqrt(variance),
        histogram: classes[label] ?? EMPTY,
      };
    }),
  };
}

function least(values: readonly number[]): number {
  return values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
}

function greatest(values: readonly number[]): number {
  return values.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
