import { fieldPosition, type NoiseKey, philox, unitInterval } from "./philox.js";

/** Standard normal deviate of element i: words 0 and 1, 2 and 3 of a counter make two pairs (Box-Muller). */
export function normalAt(i: number, key: NoiseKey): number {
  const { counter, word } = fieldPosition(i);
  const words = philox(counter, 0, key);
  const pair = word & 2;
  const radius = Math.sqrt(-2 * Math.log(unitInterval(words[pair]!)));
  const angle = 2 * Math.PI * unitInterval(words[pair + 1]!);
  return radius * (word & 1 ? Math.sin(angle) : Math.cos(angle));
}

/** output = x + σ·n(i). */
export function noiseReference(input: Float32Array, output: Float32Array, channels: number, sigma: Float64Array, key: NoiseKey): void {
  for (let i = 0; i < input.length; i++) output[i] = input[i]! + sigma[i % channels]! * normalAt(i, key);
}
