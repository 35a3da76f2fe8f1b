import type { Json } from "../../core/json.js";
import { findStep } from "../steps/find-step.js";
import type { LabelArray, SampleLayout } from "../steps/step.js";
import { loadStep, type StepModule } from "../steps/step-module.js";

export interface MeasureStepPayload {
  readonly name: string;
  readonly params: Json;
  readonly module?: StepModule;
  readonly layout: SampleLayout;
  readonly image: Float32Array;
  readonly label?: LabelArray;
}

/** The task `"measureStep"`: what a step must know of the voxels before it can be planned. */
export async function measureStep({ name, module, ...work }: MeasureStepPayload): Promise<Json> {
  const step = module ? await loadStep(module) : findStep(name)!;
  return step.measure!(work);
}
