import type { MonoTypeOperatorFunction } from "rxjs";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { prefetch as prefetchStage } from "../../streams/stages/prefetch.js";
import { describeOperator, keyOperator } from "../operator-link.js";

export interface PrefetchOptions {
  /** Items that wait ready. */
  readonly capacity: number;
}

/**
 * Holds items ready, so that the stages in front work while the one behind is busy.
 *
 * @shape unchanged
 * @units none
 * @label unchanged
 * @throws `ERR_OPTION` when `capacity` is not a whole number ≥ 1
 * @source own; docs/decisions.md 1
 * @example
 * batches.pipe(prefetch({ capacity: 2 }))
 */
export function prefetch<A>(options: PrefetchOptions): MonoTypeOperatorFunction<A> {
  requireKnownOptions("prefetch", options, ["capacity"]);
  const { capacity } = options;
  return keyOperator(describeOperator(prefetchStage<A>({ capacity }), { prefetch: { capacity } }), ["prefetch"]);
}
