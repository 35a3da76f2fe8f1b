export {
  type ArrayLayout,
  type Effect,
  inPlacePlan,
  type MeasureWork,
  regridPlan,
  type SampleLayout,
  type Step,
  type StepPlan,
  type StepReturn,
  type StepWork,
} from "../workers/steps/step.js";
export type { StepModule, StepSource } from "../workers/steps/step-module.js";
export * from "./augment/augment.js";
export type * from "./augment/augment-options.js";
export * from "./intensity/clip.js";
export * from "./intensity/intensity-statistics.js";
export * from "./intensity/normalize.js";
export * from "./intensity/rescale-hu.js";
export * from "./intensity/window-level.js";
export * from "./label/map-labels.js";
export * from "./label/one-hot.js";
export * from "./load/case-item.js";
export * from "./load/cases.js";
export * from "./load/load.js";
export { type DrawSubject, descriptionOf, type OperatorDescription, type OperatorLink, recordOperators } from "./operator-link.js";
export * from "./patch/patch.js";
export type { PatchForegroundOptions, PatchOptions } from "./patch/patch-options.js";
export * from "./patch/patch-starts.js";
export * from "./patch/skip-blank.js";
export * from "./plan-memory.js";
export type { ProcessMemory, ProcessShare } from "./process-memory.js";
export * from "./replay.js";
export * from "./spatial/crop-foreground.js";
export * from "./spatial/orient.js";
export * from "./spatial/pad.js";
export * from "./spatial/resample.js";
export * from "./spatial/resize.js";
export * from "./stream/batch.js";
export * from "./stream/cached.js";
export * from "./stream/prefetch.js";
export * from "./stream/shuffle.js";
export * from "./transform.js";
