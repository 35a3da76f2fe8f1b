import type { MonoTypeOperatorFunction } from "rxjs";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { shuffle as shuffleStage } from "../../streams/stages/shuffle.js";
import { describeOperator, keyOperator } from "../operator-link.js";

export interface ShuffleOptions {
  /** Items that change places with each other; at most twice as many are held in memory. */
  readonly window: number;
}

/**
 * Changes the order inside windows, drawn from (seed, epoch, window). Windows end with their epoch. Validation and prediction keep the order.
 *
 * @shape unchanged
 * @units none
 * @label unchanged
 * @throws `ERR_OPTION` when `window` is not a whole number ≥ 1
 * @source own; docs/decisions.md 11
 * @example
 * patches.pipe(shuffle({ window: 32 }))
 */
export function shuffle<A>(options: ShuffleOptions): MonoTypeOperatorFunction<A> {
  requireKnownOptions("shuffle", options, ["window"]);
  const { window } = options;
  return keyOperator(describeOperator(shuffleStage<A>({ window }), { shuffle: { window } }), ["shuffle", { window }]);
}
