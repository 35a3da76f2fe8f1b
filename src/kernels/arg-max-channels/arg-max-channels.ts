import { requireOption } from "../../core/errors.js";
import type { LabelArray } from "../label-array.js";
import { native } from "../native.js";
import { requireElements } from "../require-elements.js";
import { argMaxChannelsReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    argMaxChannels?(scores: Float32Array, output: LabelArray, channels: number): void;
  }
}

/**
 * The class of the largest score of each voxel; of equal ones the lowest class. No extra memory.
 *
 * @shape scores (…, channels) → (…)
 * @throws `ERR_OPTION` when the output type cannot hold all classes; `ERR_SHAPE` when lengths do not fit
 */
export function argMaxChannels(scores: Float32Array, output: LabelArray, channels: number): void {
  const limit = output instanceof Uint8Array ? 256 : 65536;
  requireOption(Number.isSafeInteger(channels) && channels >= 1 && channels <= limit, "argMaxChannels", "channels", `in [1, ${limit}]`, channels);
  requireElements("argMaxChannels", "scores", scores, output.length * channels);
  const addon = native();
  if (addon?.argMaxChannels) addon.argMaxChannels(scores, output, channels);
  else argMaxChannelsReference(scores, output, channels);
}
