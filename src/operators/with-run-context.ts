import { Observable, type OperatorFunction } from "rxjs";
import { VoxError } from "../core/errors.js";
import type { RunContext } from "../core/run-context.js";
import { askingDemand } from "../streams/hop.js";

/** Builds an operator when its run begins, with the run's seed, mode, memory and tasks in hand. */
export function withRunContext<A, B>(where: string, build: (context: RunContext) => OperatorFunction<A, B>): OperatorFunction<A, B> {
  return (source) =>
    new Observable<B>((subscriber) => {
      const context = askingDemand()?.graph.context;
      if (!context) {
        throw new VoxError("the graph must be run with a context (seed, mode, pool, tasks), got none: use run(name, flows, { context })", {
          code: "ERR_OPTION",
          where,
        });
      }
      return build(context)(source).subscribe(subscriber);
    });
}
