import { type NormalizeMode, normalize } from "../../kernels/normalize/normalize.js";
import { inPlacePlan, type Step } from "./step.js";

export interface NormalizeParams {
  readonly mode: NormalizeMode;
  readonly range: readonly [number, number];
  readonly perChannel: boolean;
}

/** Brings intensities to a common scale. */
export const normalizeStep: Step<NormalizeParams> = {
  plan: (layout) => inPlacePlan(layout),
  apply: ({ image, params, before }) => normalize(image!.input, image!.output, { ...params, channels: before.image.shape[3] }),
};
