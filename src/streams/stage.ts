import { Observable, type OperatorFunction } from "rxjs";
import type { Logic } from "./logic.js";
import { StageNode } from "./stage-node.js";

/**
 * Makes a stage with one inlet and one outlet, as a normal RxJS operator. Every subscription gets its own state.
 *
 * @throws in the run `ERR_STAGE` with the item's id when its logic fails
 * @example
 * const pairs = stage<number, number>("queue", () => {
 *   const queue: Item<number>[] = [];
 *   return {
 *     room: () => queue.length < 4,
 *     push: (item) => { queue.push(item); },
 *     ready: () => queue.length > 0,
 *     pull: () => queue.shift(),
 *     size: () => queue.length,
 *     dispose: () => { for (const item of queue) release(item.value); },
 *   };
 * });
 */
export function stage<A, B>(name: string, make: (node: StageNode<A, B>) => Logic<A, B>): OperatorFunction<A, B> {
  return (source) => new Observable<B>((subscriber) => new StageNode(name, [source], 1, make).attach(0, subscriber));
}
