import type { Json } from "../../core/json.js";
import { augmentStep } from "./augment-step.js";
import { clipStep } from "./clip-step.js";
import { cropForegroundStep } from "./crop-foreground-step.js";
import { mapLabelsStep } from "./map-labels-step.js";
import { normalizeStep } from "./normalize-step.js";
import { oneHotStep } from "./one-hot-step.js";
import { orientStep } from "./orient-step.js";
import { padStep } from "./pad-step.js";
import { patchStep } from "./patch-step.js";
import { resampleStep } from "./resample-step.js";
import { rescaleHUStep } from "./rescale-hu-step.js";
import { resizeStep } from "./resize-step.js";
import type { Step } from "./step.js";
import { windowLevelStep } from "./window-level-step.js";

/** Steps by the name that histories, cache keys and bundles know them by. A step only meets parameters that its own operator wrote. */
export const STEPS: Readonly<Record<string, Step<Json>>> = {
  augment: augmentStep as unknown as Step<Json>,
  clip: clipStep as unknown as Step<Json>,
  cropForeground: cropForegroundStep as unknown as Step<Json>,
  mapLabels: mapLabelsStep as unknown as Step<Json>,
  normalize: normalizeStep as unknown as Step<Json>,
  oneHot: oneHotStep as unknown as Step<Json>,
  orient: orientStep as unknown as Step<Json>,
  pad: padStep as unknown as Step<Json>,
  patch: patchStep as unknown as Step<Json>,
  resample: resampleStep as unknown as Step<Json>,
  rescaleHU: rescaleHUStep as unknown as Step<Json>,
  resize: resizeStep as unknown as Step<Json>,
  windowLevel: windowLevelStep as unknown as Step<Json>,
};
