import { VoxError } from "../../core/errors.js";
import { caseFlowOf } from "../../operators/operator-link.js";
import { batch } from "../../operators/stream/batch.js";
import type { GraphFunction } from "../config/training-config.js";
import { buildGraph } from "./build-graph.js";

/**
 * The graph of whole cases in another graph: what is in front of the operator that cuts patches (or stacks batches), then batches of one case.
 *
 * @throws `ERR_CONFIG` when the graph cuts patches in several places
 */
export function caseGraph(graph: GraphFunction): GraphFunction {
  return (input) => {
    const { flow, places } = caseFlowOf(() => buildGraph(graph, input));
    if (!flow || places > 1) {
      throw new VoxError(
        `validation.cases needs a graph that cuts patches or makes batches in one place, got ${places}; give whole cases by validation.graph`,
        { code: "ERR_CONFIG", where: "graph" },
      );
    }
    return flow.pipe(batch({ size: 1 }));
  };
}
