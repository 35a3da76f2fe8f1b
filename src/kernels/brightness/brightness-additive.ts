import { affineIntensity } from "../affine-intensity/affine-intensity.js";
import type { ChannelValues } from "../channel-values.js";

export interface BrightnessAdditiveOptions {
  /** Interleaved channels. Default 1. */
  readonly channels?: number;
  readonly amount: ChannelValues;
}

/** output = x + amount per channel. `output` may be `input`. No extra memory. */
export function brightnessAdditive(input: Float32Array, output: Float32Array, { channels = 1, amount }: BrightnessAdditiveOptions): void {
  affineIntensity(input, output, { channels, offset: amount });
}
