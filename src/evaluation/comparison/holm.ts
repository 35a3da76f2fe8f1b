/**
 * p-values for several comparisons together: `max over smaller ones of (m - rank + 1) p`, at most 1; null where there is none.
 *
 * @source Holm, Scandinavian Journal of Statistics 6 (1979)
 * @example
 * holm([0.01, 0.04, 0.03]); // [0.03, 0.06, 0.06]
 */
export function holm(values: readonly (number | null)[]): readonly (number | null)[] {
  const known = values.flatMap((p, at) => (p === null ? [] : [{ p, at }])).sort((a, b) => a.p - b.p);
  const adjusted: (number | null)[] = values.map(() => null);
  let largest = 0;
  known.forEach(({ p, at }, rank) => {
    largest = Math.max(largest, Math.min(1, (known.length - rank) * p));
    adjusted[at] = largest;
  });
  return adjusted;
}
