import { affineIntensity } from "../affine-intensity/affine-intensity.js";
import { type ChannelValues, perChannel } from "../channel-values.js";
import { statistics } from "../statistics/statistics.js";

export interface ContrastOptions {
  /** Interleaved channels. Default 1. */
  readonly channels?: number;
  /** Above 1 stretches, below 1 flattens; one for all channels or one each. */
  readonly factor: ChannelValues;
  /** Clips the result to the channel's old range. Default true. */
  readonly preserveRange?: boolean;
}

/**
 * output = (x - mean)·factor + mean with the mean of each channel; a factor of 1 is the identity. `output` may be `input`. No extra memory.
 *
 * @shape input (…, C) interleaved → same
 * @source batchgenerators, augment_contrast (behavior)
 */
export function contrast(input: Float32Array, output: Float32Array, { channels = 1, factor, preserveRange = true }: ContrastOptions): void {
  const scale = [...perChannel("contrast", "factor", factor, channels)];
  const measured = statistics(input, { channels });
  // A factor of 1 changes nothing, not even by rounding.
  const mean = measured.map((channel, c) => (scale[c] === 1 ? 0 : channel.mean));
  const limits = preserveRange ? { limits: { min: measured.map(({ min }) => min), max: measured.map(({ max }) => max) } } : {};
  affineIntensity(input, output, { channels, shift: mean, scale, offset: mean, ...limits });
}
