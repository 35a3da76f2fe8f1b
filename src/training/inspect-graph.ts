import type { Triple } from "../core/shape.js";
import type { PreprocessingStep } from "./bundle.js";
import type { TrainingConfig } from "./training-config.js";

/** What the operators of a graph say of themselves, without reading data. */
export interface GraphSummary {
  /** The patch that the graph cuts; undefined when it takes whole cases or cuts by an operator of the user's own. */
  readonly patch: Triple | undefined;
  readonly spacing: Triple | null;
  readonly preprocessing: readonly PreprocessingStep[];
}

export function inspectGraph(_config: Pick<TrainingConfig, "data" | "graph">): GraphSummary {
  return { patch: undefined, spacing: null, preprocessing: [] };
}
