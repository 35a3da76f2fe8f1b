import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Schedule } from "./schedule.js";

export interface WarmUpOptions {
  /** Steps until the full rate. */
  readonly steps: number;
  /** What the rate follows; constant when absent. */
  readonly schedule?: Schedule;
}

/**
 * `rate = schedule · min(1, step / steps)`, with step counted from 1: the rate of another schedule, which begins small.
 *
 * @throws `ERR_OPTION` when `steps` is not an integer >= 1 or `schedule` is none
 * @source Goyal et al. 2017, section 2.2, gradual warm-up
 * @example
 * const training = { epochs: 300, learningRate: 3e-4, schedule: warmUp({ steps: 500, schedule: cosine() }) };
 */
export function warmUp(options: WarmUpOptions): Schedule {
  requireKnownOptions("warmUp", options, ["steps", "schedule"]);
  const { steps, schedule } = options;
  requireOption(Number.isInteger(steps) && steps >= 1, "warmUp", "steps", "an integer >= 1", steps);
  requireOption(schedule === undefined || typeof schedule.begin === "function", "warmUp", "schedule", "a schedule such as cosine()", schedule);
  return {
    name: "warmUp",
    options: { steps, ...(schedule && { schedule: { name: schedule.name, options: schedule.options } }) },
    begin(base, state) {
      const rest = schedule?.begin(base, state);
      return {
        rate: (moment) => (rest?.rate(moment) ?? base) * Math.min(1, (moment.step + 1) / steps),
        epochEnd: (figure) => rest?.epochEnd?.(figure),
        state: () => rest?.state() ?? null,
      };
    },
  };
}
