import type { MonoTypeOperatorFunction } from "rxjs";
import { prefetch as prefetchStage } from "../../streams/prefetch.js";
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
 * @example
 * batches.pipe(prefetch({ capacity: 2 }))
 */
export function prefetch<A>({ capacity }: PrefetchOptions): MonoTypeOperatorFunction<A> {
  return keyOperator(describeOperator(prefetchStage<A>({ capacity }), { prefetch: { capacity } }), ["prefetch"]);
}
