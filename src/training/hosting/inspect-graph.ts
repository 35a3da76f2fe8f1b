import { EMPTY } from "rxjs";
import type { Triple } from "../../core/shape.js";
import { type OperatorLink, recordOperators } from "../../operators/operator-link.js";
import type { PreprocessingStep } from "../bundle/bundle-description.js";
import type { TrainingConfig } from "../config/training-config.js";
import { buildGraph } from "./build-graph.js";

/** What the operators of a graph say of themselves. */
export interface GraphSummary {
  /** The patch that the graph cuts; undefined when it takes whole cases, or cuts by an operator of the user's own. */
  readonly patch: Triple | undefined;
  /** Voxel size that cases are resampled to; null when they keep their own. */
  readonly spacing: Triple | null;
  /** The deterministic operators in front of the patch, in order: what a new case goes through before the network sees it. */
  readonly preprocessing: readonly PreprocessingStep[];
}

/** Looks at the operators of a configuration's training graph, without reading data. */
export function inspectGraph({ data, graph }: Pick<TrainingConfig, "data" | "graph">): GraphSummary {
  const operators = recordOperators(() => buildGraph(graph, { cases: EMPTY, mode: "training", classes: data.classes }));
  let patch: Triple | undefined;
  let spacing: Triple | null = null;
  const preprocessing: PreprocessingStep[] = [];
  const add = ({ name, params, draw, module }: OperatorLink): void => {
    if (draw) return;
    preprocessing.push({ name, params, ...(module && { module }) });
    if (name === "resample") spacing = (params as { readonly spacing: Triple }).spacing;
  };
  for (const operator of operators) {
    // What comes behind the patch changes patches, and not the case.
    if (patch) break;
    if ("patch" in operator) patch = operator.patch.size;
    else if ("link" in operator) add(operator.link);
    else if ("load" in operator || "cached" in operator) {
      const { load, links } = "load" in operator ? { load: operator.load, links: [] } : operator.cached;
      preprocessing.push({ name: "load", params: { ...load } });
      for (const link of links) add(link);
    }
  }
  return { patch, spacing, preprocessing };
}
