import type { Observable } from "rxjs";
import { type SplitOptions, split } from "./split.js";

/**
 * Gives every item to every branch. The slowest branch sets the pace, `capacity` items ahead at most; a branch that unsubscribes stops counting.
 *
 * @throws `ERR_OPTION`
 */
export function broadcast<A>(flow: Observable<A>, { branches, capacity = 1, name = "broadcast" }: SplitOptions): Observable<A>[] {
  return split(flow, { name, branches, capacity, targets: (live) => live });
}
