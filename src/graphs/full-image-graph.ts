import { requireKnownOptions } from "../core/require-known-options.js";
import type { Triple } from "../core/shape.js";
import { augment, batch, pad, prefetch, shuffle } from "../operators/index.js";
import type { GraphFunction } from "../training/index.js";
import { CASE_GRAPH_OPTIONS, type CaseGraphOptions } from "./case-graph-options.js";
import { prepareCases } from "./prepare-cases.js";

export interface FullImageGraphOptions extends CaseGraphOptions {
  /** Every extent is padded to a multiple of it, and to no less than `minSize`: what the network's poolings ask for; 16. */
  readonly divisor?: number | Triple;
  readonly minSize?: Triple;
  /** Images that are mixed; 8. */
  readonly window?: number;
  /** Images in a batch; 1, as images of a batch must have one shape. */
  readonly batch?: number;
}

const OPTIONS = [...CASE_GRAPH_OPTIONS, "divisor", "minSize", "window", "batch"] satisfies readonly (keyof FullImageGraphOptions)[];

/**
 * Makes the graph of whole images: load → clip → resample → normalize → pad (kept in the cache) → augment → shuffle → batch → prefetch.
 *
 * @shape cases → batches (N, padded image, C)
 * @units `range` in those of the files, `spacing` in mm
 * @throws `ERR_OPTION` when the graph is built, from the operator whose rule is broken; `ERR_SHAPE` when images of a batch differ in shape
 * @source MIScnn's analysis "fullimage"
 * @example
 * defineConfig({ data, graph: fullImageGraph({ spacing: [4, 4, 4], divisor: 8 }), model: unet(), loss: tverskyLoss(), training: { epochs: 100 } })
 */
export function fullImageGraph(options: FullImageGraphOptions = {}): GraphFunction {
  requireKnownOptions("fullImageGraph", options, OPTIONS);
  const { divisor = 16, minSize, window = 8, batch: size = 1 } = options;
  return ({ cases }) => {
    const images = cases.pipe(prepareCases(options, [pad({ divisor, ...(minSize && { minSize }), value: "minimum" })]));
    const varied = options.augment === false ? images : images.pipe(augment(options.augment));
    return varied.pipe(shuffle({ window }), batch({ size }), prefetch({ capacity: 2 }));
  };
}
