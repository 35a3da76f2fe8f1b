/** output = min(max(x, min), max). */
export function clipReference(input: Float32Array, output: Float32Array, min: number, max: number): void {
  const low = Math.fround(min);
  const high = Math.fround(max);
  for (let i = 0; i < output.length; i++) {
    const x = input[i]!;
    output[i] = x < low ? low : x > high ? high : x;
  }
}
