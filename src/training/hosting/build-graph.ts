import type { Observable } from "rxjs";
import type { Batch } from "../../core/batch.js";
import { errorMessage, isVoxError, VoxError } from "../../core/errors.js";
import type { GraphFunction, GraphInput } from "../config/training-config.js";

/**
 * Calls a configuration's graph function.
 *
 * @throws `ERR_CONFIG` when it fails or returns something else; the error of an operator's option as it is
 */
export function buildGraph(graph: GraphFunction, input: GraphInput): Observable<Batch> {
  let flow: unknown;
  try {
    flow = graph(input);
  } catch (error) {
    if (isVoxError(error)) throw error;
    throw new VoxError(`the graph function must return batches, but it failed: ${errorMessage(error)}`, {
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
