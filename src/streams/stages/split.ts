import type { Observable } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { release, retain } from "../../core/retain.js";
import type { Item } from "../item.js";
import { node } from "../node.js";
import type { StageOptions } from "../stage-options.js";

export interface SplitOptions extends StageOptions {
  readonly branches: number;
  /** Items that each branch may lag behind. */
  readonly capacity?: number;
}

interface SplitRule {
  readonly name: string;
  readonly branches: number;
  readonly capacity: number;
  /** The queues, among those of the branches that are still there, that get item `count`. */
  readonly targets: <Q>(live: readonly Q[], count: number) => readonly Q[];
}

/** What `broadcast` and `deal` share. */
export function split<A>(flow: Observable<A>, { name, branches, capacity, targets }: SplitRule): Observable<A>[] {
  requireOption(Number.isInteger(branches) && branches >= 1, name, "branches", "an integer >= 1", branches);
  requireOption(Number.isInteger(capacity) && capacity >= 1, name, "capacity", "an integer >= 1", capacity);
  return node<A, A>({ name, from: [flow], outlets: branches }, (self) => {
    const queues: Item<A>[][] = Array.from({ length: branches }, () => []);
    let live = queues;
    let count = self.resume(0, (state) => Number.isInteger(state) && (state as number) >= 0);
    return {
      room: () => targets(live, count).every((queue) => queue.length < capacity),
      push: (item) => {
        const marked = { ...item, at: { ...item.at, [self.name]: count + 1 } };
        targets(live, count++).forEach((queue, index) => {
          // The node has retained for one branch.
          if (index > 0) retain(item.value);
          queue.push(marked);
        });
      },
      ready: (outlet) => queues[outlet]!.length > 0,
      pull: (outlet) => queues[outlet]!.shift(),
      size: () => Math.max(0, ...live.map((queue) => queue.length)),
      left: (outlet) => {
        live = live.filter((queue) => queue !== queues[outlet]);
        for (const item of queues[outlet]!.splice(0)) release(item.value);
      },
      dispose: () => {
        for (const queue of live) for (const item of queue.splice(0)) release(item.value);
      },
    };
  });
}
