import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Schedule } from "./schedule.js";

export interface PolynomialOptions {
  /** 0.9, as nnU-Net. */
  readonly power?: number;
}

/**
 * `rate = base (1 - t / epochs)^power`, with t the epoch (constant within it), so the last epoch still learns.
 *
 * @throws `ERR_OPTION` when `power` is not > 0
 * @source Chen et al. 2018, DeepLab, "poly"; nnU-Net changes it per epoch
 * @example
 * const training = { epochs: 1000, learningRate: 1e-2, schedule: polynomial() };
 */
export function polynomial(options: PolynomialOptions = {}): Schedule {
  requireKnownOptions("polynomial", options, ["power"]);
  const { power = 0.9 } = options;
  requireOption(power > 0 && Number.isFinite(power), "polynomial", "power", "> 0", power);
  return {
    name: "polynomial",
    options: { power },
    begin: (base) => ({ rate: ({ epoch, epochs }) => base * (1 - epoch / epochs) ** power, state: () => null }),
  };
}
