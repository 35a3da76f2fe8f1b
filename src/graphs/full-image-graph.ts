import type { OperatorFunction } from "rxjs";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Sample } from "../core/sample.js";
import type { Triple } from "../core/shape.js";
import { type AugmentOptions, augment, batch, clip, type NormalizeOptions, normalize, pad, prefetch, resample, shuffle } from "../operators/index.js";
import type { GraphFunction } from "../training/index.js";
import { prepareCases } from "./prepare-cases.js";

export interface FullImageGraphOptions {
  /** Intensities to clip at; absent: none are clipped. */
  readonly range?: readonly [low: number, high: number];
  /** Voxel size to work at, `[z, y, x]` in mm; absent: each file's own. */
  readonly spacing?: Triple;
  /** Z-score per channel by default. */
  readonly normalize?: NormalizeOptions;
  /** Every extent is padded to a multiple of it, and to no less than `minSize`: what the network's poolings ask for; 16. */
  readonly divisor?: number | Triple;
  readonly minSize?: Triple;
  /** Techniques; `false` for none; by default those of `augment()`. */
  readonly augment?: AugmentOptions | false;
  /** Images that are mixed; 8. */
  readonly window?: number;
  /** Images in a batch; 1, as images of a batch must have one shape. */
  readonly batch?: number;
  /** Whether the preprocessed cases are kept in the LMDB cache; they are by default. */
  readonly store?: boolean;
}

const OPTIONS = [
  "range",
  "spacing",
  "normalize",
  "divisor",
  "minSize",
  "augment",
  "window",
  "batch",
  "store",
] satisfies readonly (keyof FullImageGraphOptions)[];

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
  const { range, spacing, divisor = 16, minSize, window = 8, batch: size = 1, store = true } = options;
  return ({ cases }) => {
    const preprocessing: OperatorFunction<Sample, Sample>[] = [
      ...(range ? [clip({ min: range[0], max: range[1] })] : []),
      ...(spacing ? [resample({ spacing })] : []),
      normalize(options.normalize),
      pad({ divisor, ...(minSize && { minSize }), value: "minimum" }),
    ];
    const images = cases.pipe(prepareCases(preprocessing, { store }));
    const varied = options.augment === false ? images : images.pipe(augment(options.augment));
    return varied.pipe(shuffle({ window }), batch({ size }), prefetch({ capacity: 2 }));
  };
}
