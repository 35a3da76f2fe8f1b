import { Observable } from "rxjs";
import { describe, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { checkedPipe } from "./checked-pipe.js";
import type { Logic } from "./logic.js";
import { StageNode } from "./stage-node.js";

export interface NodeOptions<A> {
  readonly name: string;
  /** The flows that it joins; none for a source. */
  readonly from: readonly Observable<A>[];
  /** Branches that it splits into. */
  readonly outlets?: number;
}

/**
 * Makes a stage with any number of inlets (a join) and outlets (a split). Several outlets share one run: it starts when all of them are subscribed,
 * so their flows belong into the same `run()`.
 *
 * @throws `ERR_OPTION`; in the run `ERR_STAGE` with the item's id when its logic fails
 * @example
 * const [merged] = node<number, number>({ name: "merge", from: [source("a", 2, (n) => n), source("b", 2, (n) => n)] }, () => {
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
export function node<A, B>({ name, from, outlets = 1, ...unknown }: NodeOptions<A>, make: (node: StageNode<A, B>) => Logic<A, B>): Observable<B>[] {
  requireKnownOptions("node", unknown, ["name", "from", "outlets"]);
  from.forEach((flow, index) => {
    if (typeof (flow as Partial<Observable<A>> | null | undefined)?.subscribe === "function") return;
    throw new VoxError(`flow ${index + 1} must be an Observable, such as source(…) or cases.pipe(…), got ${describe(flow)}`, {
      code: "ERR_OPTION",
      where: name,
    });
  });
  let shared: StageNode<A, B> | undefined;
  const flows = Array.from(
    { length: outlets },
    (_, outlet) =>
      new Observable<B>((subscriber) => {
        if (outlets === 1) return new StageNode(name, from, 1, make).attach(outlet, subscriber);
        // Subscribed again after its end, as by repeat, it starts anew.
        if (!shared || shared.closed) shared = new StageNode(name, from, outlets, make);
        return shared.attach(outlet, subscriber);
      }),
  );
  return flows.map((flow) => checkedPipe(flow));
}
