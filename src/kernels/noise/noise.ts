import { requireOption } from "../../core/errors.js";
import { type ChannelValues, perChannel } from "../channel-values.js";
import { native } from "../native.js";
import { requireElements } from "../require-elements.js";
import type { NoiseKey } from "./philox.js";
import { noiseReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    noise?(input: Float32Array, output: Float32Array, channels: number, sigma: Float64Array, key: Uint32Array): void;
  }
}

export interface NoiseOptions {
  /** Interleaved channels. Default 1. */
  readonly channels?: number;
  /** Standard deviation, ≥ 0; one for all channels or one each. */
  readonly sigma: ChannelValues;
  /** Names the field: element i of the noise depends on the key and i only. `hashKey` makes one. */
  readonly key: NoiseKey;
}

/**
 * output = x + σ·n with independent standard normal n for every voxel and channel. `output` may be `input`. No extra memory.
 *
 * @shape input (…, C) interleaved → same
 * @throws `ERR_OPTION` when a sigma is not >= 0
 * @source Box-Muller transform of Philox-4x32-7 (see `philox`)
 */
export function noise(input: Float32Array, output: Float32Array, { channels = 1, sigma, key }: NoiseOptions): void {
  requireElements("noise", "output", output, input.length);
  const deviations = perChannel("noise", "sigma", sigma, channels);
  for (const value of deviations) requireOption(value >= 0, "noise", "sigma", ">= 0", value);
  const addon = native();
  if (addon?.noise) addon.noise(input, output, channels, deviations, Uint32Array.from(key));
  else noiseReference(input, output, channels, deviations, key);
}
