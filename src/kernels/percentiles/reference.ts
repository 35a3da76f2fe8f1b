/** Sorts a copy; position rank/100·(n-1), linear between the two neighbors. */
export function percentilesReference(values: Float32Array, ranks: readonly number[]): number[] {
  const sorted = Float32Array.from(values).sort();
  return ranks.map((rank) => {
    const position = (rank / 100) * (sorted.length - 1);
    const below = Math.floor(position);
    const low = sorted[below]!;
    const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
    return low + (high - low) * (position - below);
  });
}
