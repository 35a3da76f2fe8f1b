/**
 * Steps of 1, 2 or 5 times a power of ten that enclose a range, about five of them; from 0 to 1 where the range is none.
 *
 * @example
 * roundTicks([0.12, 0.93]); // 0, 0.2, 0.4, 0.6, 0.8, 1
 */
export function roundTicks([low, high]: readonly [min: number, max: number]): readonly number[] {
  const [from, to] = Number.isFinite(low) && Number.isFinite(high) ? (high > low ? [low, high] : [low - 0.5, high + 0.5]) : [0, 1];
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const first = Math.floor(from / step + 1e-9);
  const last = Math.ceil(to / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
}
