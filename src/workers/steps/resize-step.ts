import type { Triple } from "../../core/shape.js";
import { fieldOfViewPlan, labelsBack, probabilitiesBack, regrid } from "./resample-step.js";
import type { Step } from "./step.js";

export interface ResizeParams {
  readonly size: Triple;
  readonly order: 0 | 1 | 3;
  readonly labelOrder: 0 | 1;
}

/** A given number of voxels over the same field of view. */
export const resizeStep: Step<ResizeParams> = {
  plan: (layout, { size }) => fieldOfViewPlan(layout, size),
  apply: regrid,
  inverse: { labels: labelsBack, probabilities: probabilitiesBack },
};
