import { requireOption } from "../../core/errors.js";
import { elementCount, type Shape4, type Triple } from "../../core/shape.js";
import { native } from "../native.js";
import { requireElements, requireSeparate, requireShape } from "../require-elements.js";
import { type FilterMode, gaussianFilterReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    /** mode: 0 constant, 1 edge, 2 symmetric. */
    gaussianFilter?(
      input: Float32Array,
      shape: readonly number[],
      output: Float32Array,
      sigma: readonly number[],
      mode: number,
      truncate: number,
    ): void;
  }
}

const MODES: readonly FilterMode[] = ["constant", "edge", "symmetric"];

export interface GaussianFilterOptions {
  /** Standard deviation per axis (depth, height, width) in voxels; 0 leaves the axis alone. */
  readonly sigma: Triple;
  /** Continuation beyond the border. Default "symmetric", scipy's "reflect". */
  readonly mode?: FilterMode;
  /** Weights end at this many deviations. Default 4, scipy's. */
  readonly truncate?: number;
}

/**
 * Convolution of each channel with a Gaussian, weights `exp(-i²/2σ²)` normalized to sum 1. Extra memory: a band
 * of rows of all slices, some MB (native).
 *
 * @shape input (D, H, W, C) → same
 * @throws `ERR_OPTION` when a sigma is not >= 0; `ERR_SHAPE` when lengths do not fit
 * @source scipy.ndimage.gaussian_filter, order 0
 */
export function gaussianFilter(input: Float32Array, shape: Shape4, output: Float32Array, options: GaussianFilterOptions): void {
  const where = "gaussianFilter";
  const { sigma, mode = "symmetric", truncate = 4 } = options;
  requireShape(where, "shape", shape, 4);
  requireOption(sigma.length === 3 && sigma.every((s) => s >= 0 && Number.isFinite(s)), where, "sigma", "three numbers >= 0", sigma);
  requireOption(MODES.includes(mode), where, "mode", "'constant', 'edge' or 'symmetric'", mode);
  requireOption(truncate > 0, where, "truncate", "> 0", truncate);
  requireElements(where, "input", input, elementCount(shape));
  requireElements(where, "output", output, input.length);
  requireSeparate(where, input, output);
  const addon = native();
  if (addon?.gaussianFilter) addon.gaussianFilter(input, shape, output, sigma, MODES.indexOf(mode), truncate);
  else gaussianFilterReference(input, shape, output, sigma, mode, truncate);
}
