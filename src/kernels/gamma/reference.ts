import type { GammaTerms } from "./gamma.js";

/** y = ((x - min)/(range + ε))^γ·(range + ε) + min of one channel, mirrored at 0 before and after when inverted. */
export function gammaReference(input: Float32Array, output: Float32Array, channels: number, channel: number, terms: GammaTerms): void {
  const { exponent, min, width, sign } = terms;
  for (let i = channel; i < input.length; i += channels) {
    output[i] = sign * (Math.max((sign * input[i]! - min) / width, 0) ** exponent * width + min);
  }
}
