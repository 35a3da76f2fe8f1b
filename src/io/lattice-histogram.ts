/**
 * A histogram whose bins are `[k · width, (k + 1) · width)` with a width that is a power of two. Any two can be added exactly: the finer one is made coarser
 * first, and its bins fall into the other's without a rest.
 */
export interface LatticeHistogram {
  readonly width: number;
  /** Number k of the first bin. */
  readonly first: number;
  readonly counts: readonly number[];
}

/** The width that covers a range with at most so many bins. */
export function latticeWidth(min: number, max: number, bins: number): number {
  const range = Math.max(max - min, Math.abs(max) * 2 ** -20, 2 ** -100);
  let width = 2 ** Math.ceil(Math.log2(range / bins));
  // Bins do not start at the smallest value, so one more may be needed.
  while (Math.floor(max / width) - Math.floor(min / width) + 1 > bins) width *= 2;
  return width;
}

/** The same values in bins of another, larger width, which is a power of two as well. */
export function coarsened({ width, first, counts }: LatticeHistogram, wider: number): LatticeHistogram {
  const factor = wider / width;
  if (factor === 1) return { width, first, counts };
  const start = Math.floor(first / factor);
  const sums = new Array<number>(Math.floor((first + counts.length - 1) / factor) - start + 1).fill(0);
  counts.forEach((count, at) => {
    sums[Math.floor((first + at) / factor) - start]! += count;
  });
  return { width: wider, first: start, counts: sums };
}

/**
 * All values of both, in at most so many bins; exact.
 *
 * @example
 * mergeHistograms({ width: 1, first: 0, counts: [2] }, { width: 2, first: 1, counts: [5] }, 64); // { width: 2, first: 0, counts: [2, 5] }
 */
export function mergeHistograms(a: LatticeHistogram, b: LatticeHistogram, bins: number): LatticeHistogram {
  if (a.counts.length === 0) return b;
  if (b.counts.length === 0) return a;
  let width = Math.max(a.width, b.width);
  for (;;) {
    const [x, y] = [coarsened(a, width), coarsened(b, width)];
    const first = Math.min(x.first, y.first);
    const last = Math.max(x.first + x.counts.length, y.first + y.counts.length);
    if (last - first > bins) {
      width *= 2;
      continue;
    }
    const counts = new Array<number>(last - first).fill(0);
    for (const part of [x, y])
      part.counts.forEach((count, at) => {
        counts[part.first - first + at]! += count;
      });
    return { width, first, counts };
  }
}
