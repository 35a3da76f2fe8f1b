import type { Observable } from "rxjs";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { type SplitOptions, split } from "./split.js";

/**
 * Gives item i to branch i modulo `branches`, however fast each branch is: several trainers fed from one graph.
 *
 * @throws `ERR_OPTION`
 * @example
 * const [first, second] = deal(batches, { branches: 2 });
 */
export function deal<A>(flow: Observable<A>, { branches, capacity = 1, name = "deal", ...unknown }: SplitOptions): Observable<A>[] {
  requireKnownOptions("deal", unknown, ["branches", "capacity", "name"]);
  return split(flow, { name, branches, capacity, targets: (live, count) => (live.length === 0 ? live : [live[count % live.length]!]) });
}
