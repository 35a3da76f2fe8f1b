import { extname } from "node:path";
import { boxFigure, classColor, curveFigure } from "../evaluation/index.js";
import type { CasesSummary, LatticeHistogram } from "../io/index.js";
import { writeAtomically } from "../io/write-atomically.js";

/**
 * Draws what `inspect` found: per channel the histograms of all classes, each as a share of its own voxels, into `<path>` (further channels
 * `<path>-channel-<n>`), and a box plot of the classes' volumes into `<path>-volumes`.
 *
 * @returns the paths
 */
export async function inspectFigures({ classes, cases, totals }: CasesSummary, path: string): Promise<string[]> {
  const extension = extname(path);
  const beside = (suffix: string): string => `${path.slice(0, path.length - extension.length)}-${suffix}${extension || ".png"}`;
  const written: string[] = [];
  const write = async (to: string, png: Uint8Array): Promise<void> => {
    await writeAtomically(to, [png]);
    written.push(to);
  };
  for (const [number, channel] of totals.channels.entries()) {
    const named = channel.classes.flatMap((own, label) => (own ? [{ name: classes[label] ?? `label ${label}`, histogram: own.histogram }] : []));
    const histograms = named.length > 0 ? named : [{ name: "all voxels", histogram: channel.histogram }];
    // Rare values far outside would squeeze everything else.
    const [low, high] = shownRange(histograms.map(({ histogram }) => histogram));
    const width = Math.max(...histograms.map(({ histogram }) => histogram.width), (high - low) / 200);
    const bins = Math.max(1, Math.ceil((high - low) / width));
    const x = Array.from({ length: bins }, (_, at) => low + (at + 0.5) * width);
    const title = `Intensities of ${cases.length} cases${totals.channels.length > 1 ? `, channel ${number}` : ""}`;
    const figure = await curveFigure({
      title,
      x,
      xLabel: "Intensity",
      yLabel: "Share of the class's voxels per bin",
      curves: histograms.map(({ name, histogram }) => ({ name, values: sharesOf(histogram, low, width, bins) })),
      width: 900,
    });
    await write(number === 0 ? path : beside(`channel-${number}`), figure);
  }
  const boxes = classes.slice(1).map((name, at) => ({
    name,
    color: classColor(at + 1),
    values: cases.flatMap(({ classVoxels, spacing }) => {
      const voxels = classVoxels?.[at + 1] ?? 0;
      return voxels > 0 ? [(voxels * spacing[0] * spacing[1] * spacing[2]) / 1000] : [];
    }),
  }));
  if (boxes.some(({ values }) => values.length > 0)) {
    await write(beside("volumes"), await boxFigure({ title: "Volume of each class, where a case has it", yLabel: "ml", boxes }));
  }
  return written;
}

/** From the least 0.1th percentile of all histograms to the largest 99.9th. */
function shownRange(histograms: readonly LatticeHistogram[]): readonly [number, number] {
  const ends = histograms.map(({ width, first, counts }): [number, number] => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const at = (share: number): number => {
      let sum = 0;
      return counts.findIndex((count) => {
        sum += count;
        return sum >= share * total && count > 0;
      });
    };
    return [(first + at(0.001)) * width, (first + at(0.999) + 1) * width];
  });
  return [Math.min(...ends.map(([low]) => low)), Math.max(...ends.map(([, high]) => high))];
}

/** A histogram in equal bins from `low` on; each of its own bins is spread evenly over those that it touches. */
function sharesOf({ width: own, first, counts }: LatticeHistogram, low: number, width: number, bins: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const shares = new Array<number>(bins).fill(0);
  counts.forEach((count, k) => {
    const from = (first + k) * own;
    const to = from + own;
    const begin = Math.max(0, Math.floor((from - low) / width));
    for (let bin = begin; bin < bins && low + bin * width < to; bin++) {
      const overlap = Math.min(to, low + (bin + 1) * width) - Math.max(from, low + bin * width);
      if (overlap > 0) shares[bin]! += (count / total) * (overlap / own);
    }
  });
  return shares;
}
