import { Observable } from "rxjs";
import type { Batch } from "../../core/batch.js";
import { didYouMean } from "../../core/did-you-mean.js";
import { errorMessage, isVoxError, VoxError } from "../../core/errors.js";
import * as operators from "../../operators/index.js";
import * as streams from "../../streams/index.js";
import type { GraphFunction, GraphInput } from "../config/training-config.js";

/**
 * Calls a configuration's graph function.
 *
 * @throws `ERR_CONFIG` when it fails or returns something else; the error of an operator's option as it is
 */
export function buildGraph(graph: GraphFunction, input: GraphInput): Observable<Batch> {
  let flow: unknown;
  try {
    // A flow of its own: who only looks at the operators gives one that others use, too.
    flow = graph({ ...input, cases: streams.checkedPipe(new Observable((subscriber) => input.cases.subscribe(subscriber)), { kind: "cases" }) });
  } catch (error) {
    if (isVoxError(error)) throw error;
    throw new VoxError(`the graph function must return batches, but it failed: ${errorMessage(error)}${nearestOperator(error)}`, {
      code: "ERR_CONFIG",
      where: "graph",
      cause: error,
    });
  }
  if (typeof (flow as { subscribe?: unknown } | undefined)?.subscribe !== "function") {
    throw new VoxError("the graph function must return an Observable of batches: ({ cases }) => cases.pipe(…)", {
      code: "ERR_CONFIG",
      where: "graph",
    });
  }
  // Checked just above; its items are checked by the trainer, which needs images and labels.
  return flow as Observable<Batch>;
}

const NAMES = [...Object.keys(operators), ...Object.keys(streams)];

/** `; did you mean normalize?` behind JavaScript's own words about a name that is not there. */
function nearestOperator(error: unknown): string {
  const [, name] = /(?:^|\.)(\w+) is not (?:a function|defined)/.exec(errorMessage(error)) ?? [];
  return name === undefined ? "" : didYouMean(name, NAMES);
}
