import type { OperatorFunction } from "rxjs";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Sample } from "../core/sample.js";
import type { Triple } from "../core/shape.js";
import { augment, batch, patch, prefetch, shuffle, skipBlank } from "../operators/index.js";
import type { GraphFunction } from "../training/index.js";
import { CASE_GRAPH_OPTIONS, type CaseGraphOptions } from "./case-graph-options.js";
import { prepareCases } from "./prepare-cases.js";

export interface PatchGraphOptions extends CaseGraphOptions {
  readonly patch: Triple;
  /** `"random"` by default; `"grid"` covers each case with patches. */
  readonly mode?: "random" | "grid";
  /** Random patches per case and epoch; 2. */
  readonly perCase?: number;
  /** Share of the random patches that hold foreground for certain; 1/3, as in nnU-Net. */
  readonly foreground?: number;
  /** Whether patches without foreground are left out; not by default. */
  readonly skipBlank?: boolean;
  /** Patches that are mixed; 16. */
  readonly window?: number;
  /** Patches in a batch; 2. */
  readonly batch?: number;
}

const OPTIONS = [
  ...CASE_GRAPH_OPTIONS,
  "patch",
  "mode",
  "perCase",
  "foreground",
  "skipBlank",
  "window",
  "batch",
] satisfies readonly (keyof PatchGraphOptions)[];

/**
 * Makes the usual patch-wise graph: load → clip → resample → normalize (kept in the cache) → patch → skip blank → augment → shuffle → batch → prefetch.
 *
 * @shape cases → batches (N, patch, C)
 * @units `range` in those of the files, `spacing` in mm
 * @throws `ERR_OPTION` when the graph is built, from the operator whose rule is broken
 * @source MIScnn's analyses "patchwise-crop" and "patchwise-grid"
 * @example
 * const graph = patchGraph({ range: [-79, 304], spacing: [3.22, 1.62, 1.62], patch: [80, 160, 160] });
 * defineConfig({ data, graph, model: unet(), loss: tverskyLoss(), training: { epochs: 1000 } })
 */
export function patchGraph(options: PatchGraphOptions): GraphFunction {
  requireKnownOptions("patchGraph", options, OPTIONS);
  const { patch: size, mode = "random", perCase = 2, foreground = 1 / 3, window = 16, batch: batchSize = 2 } = options;
  return ({ cases }) => {
    const perPatch: OperatorFunction<Sample, Sample>[] = [
      ...(options.skipBlank ? [skipBlank()] : []),
      ...(options.augment === false ? [] : [augment(options.augment)]),
    ];
    const patches = cases.pipe(prepareCases(options), patch(mode === "grid" ? { size, mode } : { size, perCase, foreground }));
    return perPatch
      .reduce((flow, operator) => flow.pipe(operator), patches)
      .pipe(shuffle({ window }), batch({ size: batchSize }), prefetch({ capacity: 2 }));
  };
}
