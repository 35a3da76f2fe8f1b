import { type ClipRange, clip } from "../../kernels/clip/clip.js";
import { inPlacePlan, type Step } from "./step.js";

/** Clamps the image. */
export const clipStep: Step<ClipRange> = {
  plan: (layout) => inPlacePlan(layout),
  apply: ({ image, params }) => clip(image!.input, image!.output, params),
};
