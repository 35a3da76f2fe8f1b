import { VoxError } from "../../core/errors.js";
import { readLabel } from "../../io/read-label.js";
import { readVolume } from "../../io/read-volume.js";
import type { VolumeHeader } from "../../io/volume-format.js";
import type { LabelArray } from "../steps/step.js";
import { applyCalls, type StepCall } from "../steps/step-call.js";
import type { TaskContext } from "../task.js";

/** Files to read before the first step, into the arrays with these indices. */
export interface ReadCall {
  readonly image: number;
  readonly images: readonly VolumeHeader[];
  readonly label?: number;
  readonly labelHeader?: VolumeHeader;
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
export function runSteps({ read, calls, arrays, touched }: RunStepsPayload, { stop }: TaskContext): void {
  if (touched && Atomics.exchange(touched, 0, 1) !== 0) {
    throw new VoxError("a worker thread died while it overwrote a sample, which cannot be done again", { code: "ERR_WORKER", where: "runSteps" });
  }
  if (read) {
    readCase(read, arrays, stop);
  }
  applyCalls(calls, arrays, stop);
}

function readCase({ image, images, label, labelHeader, nonFinite, classes }: ReadCall, arrays: RunStepsPayload["arrays"], stop: () => boolean): void {
  // The planner gave image slots float32 arrays and label slots unsigned integers.
  const voxels = arrays[image] as Float32Array;
  const of = images.reduce((sum, { shape }) => sum + shape[3], 0);
  let first = 0;
  for (const header of images) {
    if (stop()) return;
    readVolume(header, voxels, { nonFinite, channels: { first, of } });
    first += header.shape[3];
  }
  if (label === undefined || !labelHeader || stop()) return;
  readLabel(labelHeader, arrays[label] as LabelArray, classes ? { classes } : {});
}
