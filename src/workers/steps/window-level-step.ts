import { affineIntensity } from "../../kernels/affine-intensity/affine-intensity.js";
import { inPlacePlan, type Step } from "./step.js";

export interface WindowLevelParams {
  readonly level: number;
  readonly width: number;
}

/** An intensity window onto [0, 1]. */
export const windowLevelStep: Step<WindowLevelParams> = {
  plan: (layout) => inPlacePlan(layout),
  apply({ image, params: { level, width } }) {
    affineIntensity(image!.input, image!.output, { shift: level - width / 2, scale: 1 / width, limits: { min: 0, max: 1 } });
  },
};
