import { Observable } from "rxjs";
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
 */
export function node<A, B>({ name, from, outlets = 1 }: NodeOptions<A>, make: (node: StageNode<A, B>) => Logic<A, B>): Observable<B>[] {
  let shared: StageNode<A, B> | undefined;
  return Array.from(
    { length: outlets },
    (_, outlet) =>
      new Observable<B>((subscriber) => {
        if (outlets === 1) return new StageNode(name, from, 1, make).attach(outlet, subscriber);
        // Subscribed again after its end, as by repeat, it starts anew.
        if (!shared || shared.closed) shared = new StageNode(name, from, outlets, make);
        return shared.attach(outlet, subscriber);
      }),
  );
}
