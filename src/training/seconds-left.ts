import type { TrainingOptions } from "./config/training-config.js";
import type { TrainingState } from "./training-state.js";

/** Seconds to the end of a training: by its last epochs, or in the first one by its steps so far when their number is fixed. */
export function secondsLeft(
  { epoch, epochSeconds, stepInEpoch, sums }: TrainingState,
  { epochs, stepsPerEpoch }: TrainingOptions,
  secondsInEpoch: number,
): number | undefined {
  if (epochSeconds.length > 0) {
    const mean = epochSeconds.reduce((sum, s) => sum + s, 0) / epochSeconds.length;
    return Math.max(0, mean - secondsInEpoch) + mean * (epochs - epoch - 1);
  }
  return stepsPerEpoch === undefined ? undefined : (sums.totalMs / 1000 / stepInEpoch) * (stepsPerEpoch * (epochs - epoch) - stepInEpoch);
}
