import { VoxError } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import { readCase } from "../../io/read-case.js";
import type { CaseHeader } from "../../io/read-case-header.js";
import { findStep } from "../steps/find-step.js";
import type { LabelArray, Step } from "../steps/step.js";
import { applyCalls, type StepCall } from "../steps/step-call.js";
import { loadStep } from "../steps/step-module.js";
import type { TaskContext } from "../task.js";

/** A case to read before the first step, into the arrays with these indices. */
export interface ReadCall {
  readonly header: CaseHeader;
  readonly image: number;
  readonly label?: number;
  readonly nonFinite: "fail" | "replace";
  /** Absent: any label that fits is fine. */
  readonly classes?: readonly string[];
}

export interface RunStepsPayload {
  readonly read?: ReadCall;
  readonly calls: readonly StepCall[];
  /** Memory of the chain, written in place. */
  readonly arrays: readonly (Float32Array | LabelArray | undefined)[];
  /** Present when a step overwrites its own input: raised before, since such a task cannot be run a second time. */
  readonly touched?: Int32Array;
}

/** The task `"runSteps"`: reads a case and applies steps, all in memory that the caller gave. */
export function runSteps(payload: RunStepsPayload, { stop }: TaskContext): void | Promise<void> {
  const own = payload.calls.filter(({ module }) => module);
  if (own.length === 0) {
    runCalls(payload, stop);
    return;
  }
  // Before anything is touched: a module that does not load leaves the sample as it was.
  return Promise.all(own.map(async (call) => [call, await loadStep(call.module!)] as const)).then((steps) => runCalls(payload, stop, new Map(steps)));
}

function runCalls({ read, calls, arrays, touched }: RunStepsPayload, stop: () => boolean, own?: ReadonlyMap<StepCall, Step<Json>>): void {
  if (touched && Atomics.exchange(touched, 0, 1) !== 0) {
    throw new VoxError("a worker thread died while it overwrote a sample, which cannot be done again", { code: "ERR_WORKER", where: "runSteps" });
  }
  if (read && !stop()) {
    const { header, image, label, nonFinite, classes } = read;
    // The planner gave image slots float32 arrays and label slots unsigned integers.
    const targets = { image: arrays[image] as Float32Array, ...(label !== undefined && { label: arrays[label] as LabelArray }) };
    readCase(header, targets, { nonFinite, isStopped: stop, ...(classes && { classes }) });
  }
  applyCalls(calls, arrays, stop, (call) => own?.get(call) ?? findStep(call.name));
}
