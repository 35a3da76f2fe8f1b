import type { Observable } from "rxjs";
import { type SplitOptions, split } from "./split.js";

/**
 * Gives item i to branch i modulo `branches`, however fast each branch is: several trainers fed from one graph.
 *
 * @throws `ERR_OPTION`
 */
export function deal<A>(flow: Observable<A>, { branches, capacity = 1, name = "deal" }: SplitOptions): Observable<A>[] {
  return split(flow, { name, branches, capacity, targets: (live, count) => (live.length === 0 ? live : [live[count % live.length]!]) });
}
