import { requireOption } from "../../core/errors.js";
import { type ChannelValues, perChannel } from "../channel-values.js";
import { native } from "../native.js";
import { requireElements } from "../require-elements.js";
import { affineIntensityReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    /** `terms` holds low, high, shift, scale, offset, floor, ceiling of every channel. */
    affineIntensity?(input: Float32Array, output: Float32Array, channels: number, terms: Float64Array, round: boolean): void;
  }
}

export interface AffineIntensityOptions {
  /** Interleaved channels. Default 1. */
  readonly channels?: number;
  /** Subtracted first. Default 0. */
  readonly shift?: ChannelValues;
  /** Multiplied then. Default 1. */
  readonly scale?: ChannelValues;
  /** Added last. Default 0. */
  readonly offset?: ChannelValues;
  /** Range to which voxels are clipped before. */
  readonly clip?: { readonly min: ChannelValues; readonly max: ChannelValues };
  /** Range to which the result is clipped. */
  readonly limits?: { readonly min: ChannelValues; readonly max: ChannelValues };
  /** Rounds the result to whole numbers, halves to even. Default false. */
  readonly round?: boolean;
}

/**
 * output = (clip(x) - shift)·scale + offset per channel: clip, z-score, min-max, contrast and brightness in one pass. `output` may be `input`.
 * `shift` stands apart from `offset` because x·scale + (offset - shift·scale) would cancel in single precision. No extra memory.
 *
 * @shape input (…, C) interleaved → same
 * @throws `ERR_OPTION` when a list has not one number per channel; `ERR_SHAPE` when the lengths differ
 */
export function affineIntensity(input: Float32Array, output: Float32Array, options: AffineIntensityOptions): void {
  const where = "affineIntensity";
  const { channels = 1, shift = 0, scale = 1, offset = 0, clip, limits, round = false } = options;
  requireOption(Number.isSafeInteger(channels) && channels >= 1, where, "channels", ">= 1", channels);
  requireElements(where, "input", input, Math.floor(input.length / channels) * channels);
  requireElements(where, "output", output, input.length);
  const of = (name: string, values: ChannelValues | undefined, otherwise: number) => perChannel(where, name, values ?? otherwise, channels);
  const terms = {
    low: of("clip.min", clip?.min, Number.NEGATIVE_INFINITY),
    high: of("clip.max", clip?.max, Number.POSITIVE_INFINITY),
    shift: of("shift", shift, 0),
    scale: of("scale", scale, 1),
    offset: of("offset", offset, 0),
    floor: of("limits.min", limits?.min, Number.NEGATIVE_INFINITY),
    ceiling: of("limits.max", limits?.max, Number.POSITIVE_INFINITY),
    round,
  };
  const addon = native();
  if (!addon?.affineIntensity) {
    affineIntensityReference(input, output, channels, terms);
    return;
  }
  const { low, high, floor, ceiling } = terms;
  const rows = [low, high, terms.shift, terms.scale, terms.offset, floor, ceiling];
  const flat = new Float64Array(7 * channels);
  for (const [i, row] of rows.entries()) flat.set(row, i * channels);
  addon.affineIntensity(input, output, channels, flat, round);
}
