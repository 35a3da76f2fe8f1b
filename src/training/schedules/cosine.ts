import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Schedule } from "./schedule.js";

export interface CosineOptions {
  /** Where the rate ends; 0. */
  readonly minRate?: number;
}

/**
 * `rate = min + (base - min) (1 + cos(π t / epochs)) / 2`, with t the epochs done; it changes at every step once the length of an epoch is known, that is from
 * the second epoch on, or from the first with `stepsPerEpoch`.
 *
 * @throws `ERR_OPTION` when `minRate` is negative
 * @source Loshchilov and Hutter 2017, SGDR, equation 5, without restarts
 * @example
 * const training = { epochs: 300, learningRate: 3e-4, schedule: cosine({ minRate: 1e-6 }) };
 */
export function cosine(options: CosineOptions = {}): Schedule {
  requireKnownOptions("cosine", options, ["minRate"]);
  const { minRate = 0 } = options;
  requireOption(minRate >= 0 && Number.isFinite(minRate), "cosine", "minRate", ">= 0", minRate);
  return {
    name: "cosine",
    options: { minRate },
    begin: (base) => ({
      rate({ epoch, epochs, fraction }) {
        const least = Math.min(minRate, base);
        return least + ((base - least) * (1 + Math.cos((Math.PI * (epoch + fraction)) / epochs))) / 2;
      },
      state: () => null,
    }),
  };
}
