export interface AffineTerms {
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly shift: Float64Array;
  readonly scale: Float64Array;
  readonly offset: Float64Array;
  readonly floor: Float64Array;
  readonly ceiling: Float64Array;
  readonly round: boolean;
}

/** Nearest whole number, halves to the even one. */
export function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

/** y = (clip(x) - shift)·scale + offset per channel, rounded where asked, kept in [floor, ceiling]. */
export function affineIntensityReference(input: Float32Array, output: Float32Array, channels: number, terms: AffineTerms): void {
  const { low, high, shift, scale, offset, floor, ceiling, round } = terms;
  for (let i = 0; i < input.length; i++) {
    const c = i % channels;
    const x = Math.min(Math.max(input[i]!, low[c]!), high[c]!);
    const y = (x - shift[c]!) * scale[c]! + offset[c]!;
    output[i] = Math.min(Math.max(round ? roundHalfEven(y) : y, floor[c]!), ceiling[c]!);
  }
}
