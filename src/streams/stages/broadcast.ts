import type { Observable } from "rxjs";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { type SplitOptions, split } from "./split.js";

/**
 * Gives every item to every branch. The slowest branch sets the pace, `capacity` items ahead at most; a branch that unsubscribes stops counting.
 *
 * @throws `ERR_OPTION`
 * @example
 * const [forTraining, forLooking] = broadcast(batches, { branches: 2 });
 */
export function broadcast<A>(flow: Observable<A>, { branches, capacity = 1, name = "broadcast", ...unknown }: SplitOptions): Observable<A>[] {
  requireKnownOptions("broadcast", unknown, ["branches", "capacity", "name"]);
  return split(flow, { name, branches, capacity, targets: (live) => live });
}
