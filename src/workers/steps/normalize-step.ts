import { affineIntensity } from "../../kernels/affine-intensity/affine-intensity.js";
import { type NormalizeMode, normalize } from "../../kernels/normalize/normalize.js";
import { inPlacePlan, type Step } from "./step.js";

export interface NormalizeParams {
  readonly mode: NormalizeMode;
  readonly range: readonly [number, number];
  readonly perChannel: boolean;
  /** For "percentile". */
  readonly percentiles?: readonly [number, number];
  /** Statistics of voxels above a value in any channel only; the others get `outside`, or what the formula gives. */
  readonly foreground?: { readonly above: number; readonly outside: number | null };
}

/** Numbers of a whole data set, one for each channel. */
export interface CTNormalizeParams {
  readonly mode: "ct";
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Brings intensities to a common scale. */
export const normalizeStep: Step<NormalizeParams | CTNormalizeParams> = {
  plan: (layout) => inPlacePlan(layout),
  apply({ image, params, before }) {
    const channels = before.image.shape[3];
    const { input, output } = image!;
    if (params.mode === "ct") {
      applyCT(input, output, channels, params);
      return;
    }
    const { foreground, percentiles, ...rest } = params;
    const mask = foreground && maskOf(input, channels, foreground.above);
    normalize(input, output, { ...rest, channels, ...(percentiles && { percentiles }), ...(mask && { labels: mask }) });
    if (!mask || foreground.outside === null) return;
    for (let v = 0; v < mask.length; v++) if (mask[v] === 0) output.fill(foreground.outside, v * channels, (v + 1) * channels);
  },
};

function applyCT(input: Float32Array, output: Float32Array, channels: number, { low, high, mean, deviation }: CTNormalizeParams): void {
  /** One number serves all channels. */
  const each = (values: readonly number[]): readonly number[] => (values.length === 1 ? new Array<number>(channels).fill(values[0]!) : values);
  affineIntensity(input, output, {
    channels,
    clip: { min: each(low), max: each(high) },
    shift: each(mean),
    scale: each(deviation).map((value) => 1 / Math.max(value, 1e-8)),
  });
}

/** 1 for voxels that are above `limit` in any channel. */
function maskOf(image: Float32Array, channels: number, limit: number): Uint8Array {
  const above = Math.fround(limit);
  const mask = new Uint8Array(image.length / channels);
  for (let v = 0, i = 0; v < mask.length; v++) for (let c = 0; c < channels; c++, i++) if (image[i]! > above) mask[v] = 1;
  return mask;
}
