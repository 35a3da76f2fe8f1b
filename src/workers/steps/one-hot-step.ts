import { VoxError } from "../../core/errors.js";
import type { Shape4 } from "../../core/shape.js";
import { oneHot } from "../../kernels/one-hot/one-hot.js";
import { inPlacePlan, type Step } from "./step.js";

export interface OneHotParams {
  readonly classes: number;
}

/** One channel per class instead of label values. */
export const oneHotStep: Step<OneHotParams> = {
  plan(layout, { classes }) {
    const { label } = layout;
    if (!label) return inPlacePlan(layout, { image: "keep" });
    const [depth, height, width, channels] = label.shape;
    if (channels !== 1) {
      throw new VoxError(`the label map must have 1 channel, got ${channels}: it is one-hot already`, { code: "ERR_SHAPE", where: "oneHot" });
    }
    const shape: Shape4 = [depth, height, width, classes];
    return { image: "keep", label: "make", layout: { ...layout, label: { ...label, dtype: "uint8", shape } } };
  },
  // The plan asked for uint8.
  apply: ({ label, params }) => oneHot(label!.input, label!.output as Uint8Array, params.classes),
};
