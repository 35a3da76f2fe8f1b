/**
 * Exponential moving average with bias correction: `m = w m + (1 - w) y`, shown as `m / (1 - w^n)`, so the curve starts at the first value instead of at zero.
 *
 * @source Kingma and Ba 2015, Adam, section 3 (the correction)
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values];
  let mean = 0;
  let correction = 1;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null;
    mean = weight * mean + (1 - weight) * value;
    correction *= weight;
    return mean / (1 - correction);
  });
}
