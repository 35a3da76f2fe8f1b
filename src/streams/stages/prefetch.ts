import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { release } from "../../core/retain.js";
import type { Item } from "../item.js";
import { stage } from "../stage.js";
import type { StageOptions } from "../stage-options.js";

export interface PrefetchOptions extends StageOptions {
  /** Items that it may hold. */
  readonly capacity: number;
}

/**
 * A queue between two stages, so that they overlap.
 *
 * @throws `ERR_OPTION`
 */
export function prefetch<A>({ capacity, name = "prefetch" }: PrefetchOptions): OperatorFunction<A, A> {
  requireOption(Number.isInteger(capacity) && capacity >= 1, name, "capacity", "an integer >= 1", capacity);
  return stage<A, A>(name, (node) => {
    node.knobs = { capacity };
    const queue: Item<A>[] = [];
    return {
      room: () => queue.length < node.knobs.capacity!,
      push: (item) => {
        queue.push(item);
      },
      ready: () => queue.length > 0,
      pull: () => queue.shift(),
      size: () => queue.length,
      dispose: () => {
        for (const item of queue) release(item.value);
      },
    };
  });
}
