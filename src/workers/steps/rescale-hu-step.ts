import { affineIntensity } from "../../kernels/affine-intensity/affine-intensity.js";
import { inPlacePlan, type Step } from "./step.js";

export interface RescaleHUParams {
  readonly slope: number;
  readonly intercept: number;
  /** Stored value of voxels outside the scanner's circle, which count as stored 0; null where there are none. */
  readonly padding: number | null;
}

/** Stored values to Hounsfield units. */
export const rescaleHUStep: Step<RescaleHUParams> = {
  plan: (layout) => inPlacePlan(layout),
  apply({ image, params: { slope, intercept, padding } }) {
    const { input, output } = image!;
    if (padding === null) {
      affineIntensity(input, output, { scale: slope, offset: intercept });
      return;
    }
    const stored = Math.fround(padding);
    for (let i = 0; i < input.length; i++) {
      const x = input[i]!;
      output[i] = x === stored ? intercept : slope * x + intercept;
    }
  },
};
