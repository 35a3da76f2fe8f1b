import { requireOption } from "../../core/errors.js";
import { affineIntensity } from "../affine-intensity/affine-intensity.js";
import { type ChannelValues, perChannel } from "../channel-values.js";
import { native } from "../native.js";
import { requireElements } from "../require-elements.js";
import { statistics } from "../statistics/statistics.js";
import { gammaReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    gamma?(
      input: Float32Array,
      output: Float32Array,
      channels: number,
      channel: number,
      exponent: number,
      min: number,
      width: number,
      sign: number,
    ): void;
  }
}

export interface GammaTerms {
  readonly exponent: number;
  readonly min: number;
  readonly width: number;
  readonly sign: 1 | -1;
}

export interface GammaOptions {
  /** Interleaved channels. Default 1. */
  readonly channels?: number;
  /** Exponent, > 0; one for all channels or one each. */
  readonly gamma: ChannelValues;
  /** Gives each channel its old mean and deviation back. Default true, as in MIScnn. */
  readonly retainStatistics?: boolean;
  /** Applies the curve to -x. Default false. */
  readonly invert?: boolean;
}

/**
 * output = ((x - min)/(max - min + 1e-7))^γ·(max - min + 1e-7) + min per channel; with `retainStatistics` the result's mean and deviation are put back to
 * the old ones together, so both are kept. An exponent of 1 is the identity. `output` may be `input`. No extra memory.
 *
 * @shape input (…, C) interleaved → same
 * @throws `ERR_OPTION` when an exponent is not > 0
 * @source batchgenerators, augment_gamma in its corrected form (mean and deviation taken before either is changed)
 */
export function gamma(input: Float32Array, output: Float32Array, options: GammaOptions): void {
  const { channels = 1, gamma: exponents, retainStatistics = true, invert = false } = options;
  requireElements("gamma", "output", output, input.length);
  const exponent = perChannel("gamma", "gamma", exponents, channels);
  for (const value of exponent) requireOption(value > 0, "gamma", "gamma", "> 0", value);
  const before = statistics(input, { channels });
  const addon = native();
  if (output !== input && exponent.some((value) => value === 1)) output.set(input);
  before.forEach(({ min, max }, c) => {
    if (exponent[c] === 1) return;
    const terms: GammaTerms = { exponent: exponent[c]!, min: invert ? -max : min, width: max - min + 1e-7, sign: invert ? -1 : 1 };
    if (addon?.gamma) addon.gamma(input, output, channels, c, terms.exponent, terms.min, terms.width, terms.sign);
    else gammaReference(input, output, channels, c, terms);
  });
  if (!retainStatistics) return;
  const after = statistics(output, { channels });
  const unless1 = (c: number, value: number, neutral: number) => (exponent[c] === 1 ? neutral : value);
  affineIntensity(output, output, {
    channels,
    shift: after.map(({ mean }, c) => unless1(c, mean, 0)),
    scale: after.map(({ std }, c) => unless1(c, before[c]!.std / (std + 1e-8), 1)),
    offset: before.map(({ mean }, c) => unless1(c, mean, 0)),
  });
}
