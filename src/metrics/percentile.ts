/**
 * Value below which `rank` percent of ascending values lie, linear between the two nearest: position (n - 1) * rank / 100.
 *
 * @source Hyndman and Fan, Am. Stat. 50 (1996), type 7; NumPy's default
 * @example
 * percentile([0, 10], 95); // 9.5
 */
export function percentile(ascending: ArrayLike<number>, rank: number): number {
  if (ascending.length === 0) return Number.NaN;
  const position = ((ascending.length - 1) * rank) / 100;
  const below = Math.floor(position);
  const low = ascending[below]!;
  const high = ascending[Math.min(below + 1, ascending.length - 1)]!;
  return low + (high - low) * (position - below);
}
