import { elementCount, type Shape4, type Triple } from "../../core/shape.js";
import { brightnessAdditive } from "../../kernels/brightness/brightness-additive.js";
import { brightnessMultiplicative } from "../../kernels/brightness/brightness-multiplicative.js";
import { contrast } from "../../kernels/contrast/contrast.js";
import { gamma } from "../../kernels/gamma/gamma.js";
import { gaussianFilter } from "../../kernels/gaussian-filter/gaussian-filter.js";
import { lowResolution } from "../../kernels/low-resolution/low-resolution.js";
import { noise } from "../../kernels/noise/noise.js";
import type { NoiseKey } from "../../kernels/noise/philox.js";

/** One intensity technique with what it drew: a number, or one per axis, for each channel. The neutral number leaves a channel as it is. */
export type IntensityChange =
  | { readonly technique: "contrast"; readonly factor: readonly number[]; readonly preserveRange: boolean }
  | { readonly technique: "brightness"; readonly factor: readonly number[] }
  | { readonly technique: "additiveBrightness"; readonly amount: readonly number[] }
  | { readonly technique: "gamma" | "invertedGamma"; readonly gamma: readonly number[]; readonly retainStatistics: boolean }
  | { readonly technique: "noise"; readonly sigma: readonly number[]; readonly key: NoiseKey }
  | { readonly technique: "blur"; readonly sigma: readonly Triple[] }
  | { readonly technique: "lowResolution"; readonly zoom: readonly Triple[]; readonly upOrder: 1 | 3 };

/**
 * Changes voxels in place, one technique after the other; each is measured on what the ones before it left. Extra memory: for blur and low resolution as
 * much as the image, which the thread keeps for the next one.
 */
export function changeIntensity(voxels: Float32Array, shape: Shape4, changes: readonly IntensityChange[], isStopped: () => boolean): void {
  const channels = shape[3];
  for (const change of changes) {
    if (isStopped()) return;
    switch (change.technique) {
      case "contrast":
        contrast(voxels, voxels, { channels, factor: change.factor, preserveRange: change.preserveRange });
        break;
      case "brightness":
        brightnessMultiplicative(voxels, voxels, { channels, factor: change.factor });
        break;
      case "additiveBrightness":
        brightnessAdditive(voxels, voxels, { channels, amount: change.amount });
        break;
      case "gamma":
      case "invertedGamma":
        gamma(voxels, voxels, {
          channels,
          gamma: change.gamma,
          retainStatistics: change.retainStatistics,
          invert: change.technique === "invertedGamma",
        });
        break;
      case "noise":
        noise(voxels, voxels, { channels, sigma: change.sigma, key: change.key });
        break;
      case "blur":
        eachChannel(voxels, shape, change.sigma, 0, (input, own, output, sigma) => gaussianFilter(input, own, output, { sigma }));
        break;
      case "lowResolution":
        eachChannel(voxels, shape, change.zoom, 1, (input, own, output, zoom) =>
          lowResolution(input, own, output, { zoom, upOrder: change.upOrder }),
        );
        break;
      default:
        change satisfies never;
    }
  }
}

type Filter = (input: Float32Array, shape: Shape4, output: Float32Array, amount: Triple) => void;

/** A filter that cannot work in place, with an amount for each channel. */
function eachChannel(voxels: Float32Array, shape: Shape4, amounts: readonly Triple[], neutral: number, filter: Filter): void {
  const channels = shape[3];
  const isAlike = amounts.every((amount) => amount.every((value, axis) => value === amounts[0]![axis]));
  if (isAlike) {
    if (amounts[0]!.every((value) => value === neutral)) return;
    const output = scratch(voxels.length);
    filter(voxels, shape, output, amounts[0]!);
    voxels.set(output);
    return;
  }
  const own: Shape4 = [shape[0], shape[1], shape[2], 1];
  const count = elementCount(own);
  const memory = scratch(2 * count);
  const [before, after] = [memory.subarray(0, count), memory.subarray(count)];
  amounts.forEach((amount, channel) => {
    if (amount.every((value) => value === neutral)) return;
    for (let v = 0, i = channel; v < count; v++, i += channels) before[v] = voxels[i]!;
    filter(before, own, after, amount);
    for (let v = 0, i = channel; v < count; v++, i += channels) voxels[i] = after[v]!;
  });
}

let kept = new Float32Array(0);

/** Memory of the thread's last call: fresh pages for every patch would cost more than the filter. */
function scratch(length: number): Float32Array {
  if (kept.length < length) kept = new Float32Array(length);
  return kept.subarray(0, length);
}
