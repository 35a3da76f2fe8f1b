import { requireOption } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Schedule } from "./schedule.js";

export interface PlateauOptions {
  readonly factor?: number;
  /** Epochs without improvement before the rate falls. */
  readonly patience?: number;
  readonly minDelta?: number;
  /** Epochs after a fall in which nothing is counted. */
  readonly cooldown?: number;
  readonly minRate?: number;
}

interface PlateauState {
  readonly rate: number;
  readonly best: number | null;
  readonly waited: number;
  readonly cooling: number;
}

/**
 * `rate ← max(rate · factor, minRate)` when the monitored figure has not improved by more than `minDelta` for `patience` epochs.
 *
 * @throws `ERR_OPTION`
 * @source Keras 2.7 ReduceLROnPlateau; defaults of MIScnn's KiTS19 configuration
 * @example
 * const training = { epochs: 1000, schedule: plateau({ patience: 20, minRate: 1e-5 }) };
 */
export function plateau(options: PlateauOptions = {}): Schedule {
  requireKnownOptions("plateau", options, ["factor", "patience", "minDelta", "cooldown", "minRate"]);
  const { factor = 0.1, patience = 20, minDelta = 1e-4, cooldown = 1, minRate = 1e-5 } = options;
  requireOption(factor > 0 && factor < 1, "plateau", "factor", "in (0, 1)", factor);
  requireOption(Number.isInteger(patience) && patience >= 1, "plateau", "patience", "an integer >= 1", patience);
  requireOption(minDelta >= 0, "plateau", "minDelta", ">= 0", minDelta);
  requireOption(Number.isInteger(cooldown) && cooldown >= 0, "plateau", "cooldown", "an integer >= 0", cooldown);
  requireOption(minRate >= 0, "plateau", "minRate", ">= 0", minRate);
  return {
    name: "plateau",
    options: { factor, patience, minDelta, cooldown, minRate },
    begin(base, state) {
      // A checkpoint's state was written by `state()` below.
      let now: PlateauState = (state as PlateauState | undefined) ?? { rate: base, best: null, waited: 0, cooling: 0 };
      return {
        rate: () => now.rate,
        epochEnd(figure) {
          let { rate, best, waited, cooling } = now;
          if (cooling > 0) {
            cooling--;
            waited = 0;
          }
          if (best === null || figure < best - minDelta) {
            best = figure;
            waited = 0;
          } else if (cooling === 0 && ++waited >= patience && rate > minRate) {
            rate = Math.max(rate * factor, minRate);
            cooling = cooldown;
            waited = 0;
          }
          now = { rate, best, waited, cooling };
        },
        state: (): Json => ({ ...now }),
      };
    },
  };
}
