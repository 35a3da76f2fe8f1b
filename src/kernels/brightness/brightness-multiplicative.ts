import { affineIntensity } from "../affine-intensity/affine-intensity.js";
import type { ChannelValues } from "../channel-values.js";

export interface BrightnessMultiplicativeOptions {
  /** Interleaved channels. Default 1. */
  readonly channels?: number;
  readonly factor: ChannelValues;
}

/** output = x·factor per channel. `output` may be `input`. No extra memory. */
export function brightnessMultiplicative(input: Float32Array, output: Float32Array, { channels = 1, factor }: BrightnessMultiplicativeOptions): void {
  affineIntensity(input, output, { channels, scale: factor });
}
