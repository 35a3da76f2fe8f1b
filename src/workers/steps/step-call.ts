import type { Json } from "../../core/json.js";
import { findStep } from "./find-step.js";
import type { LabelArray, SampleLayout, Step } from "./step.js";
import type { StepModule } from "./step-module.js";

/** One application of a step as plain data; `image` and `label` are pairs of indices into a list of arrays, input and output. */
export interface StepCall {
  readonly name: string;
  readonly params: Json;
  /** Of a step of the user's own: where a worker finds it. */
  readonly module?: StepModule;
  readonly before: SampleLayout;
  readonly after: SampleLayout;
  readonly image?: readonly [number, number];
  readonly label?: readonly [number, number];
}

/** Runs steps one after the other over a list of arrays. */
export function applyCalls(
  calls: readonly StepCall[],
  arrays: readonly (Float32Array | LabelArray | undefined)[],
  isStopped: () => boolean,
  find: (call: StepCall) => Step<Json> | undefined = ({ name }) => findStep(name),
): void {
  for (const call of calls) {
    if (isStopped()) return;
    const { params, before, after, image, label } = call;
    const step = find(call)!;
    step.apply({
      params,
      before,
      after,
      // The planner gave image slots float32 arrays and label slots unsigned integers.
      ...(image && { image: { input: arrays[image[0]] as Float32Array, output: arrays[image[1]] as Float32Array } }),
      ...(label && { label: { input: arrays[label[0]] as LabelArray, output: arrays[label[1]] as LabelArray } }),
      isStopped,
    });
  }
}
