import * as tfl from "@tensorflow/tfjs-layers";
import { requireOption } from "../core/errors.js";
import type { Json } from "../core/json.js";
import type { Triple } from "../core/shape.js";
import { checkPatch } from "./check-patch.js";
import { layersFor, type Normalization } from "./layers-for.js";
import type { ModelSpec } from "./model-spec.js";
import { type Pooling, poolingDivisor, poolingFactors, requirePooling } from "./pooling-factors.js";

export interface PlainUnetOptions {
  /** Filters of each level, the finest first; the bottleneck repeats the last. */
  readonly filters?: readonly number[];
  readonly normalization?: Normalization;
  /** Slope of the leaky ReLU below zero. */
  readonly slope?: number;
  readonly dimensions?: 2 | 3;
  /** One `[z, y, x]` factor per level, `"auto"` or `"isotropic"`; the default keeps the slices at the finest level. */
  readonly pooling?: Pooling;
}

/**
 * Plain U-Net in the manner of nnU-Net: five levels of two units (convolution → instance normalization → leaky ReLU), filters capped at 320.
 *
 * @shape (batch, D, H, W, C) → (batch, D, H, W, classes), or without D in 2D; by default D divisible by 16, H and W by 32
 * @throws `ERR_OPTION` for options outside their rule; `ERR_MODEL` when built for a patch that does not fit
 * @source Isensee et al. 2021, nnU-Net; filters and slope of MIScnn 1.4 "plain"
 * @example
 * plainUnet().build({ shape: [80, 160, 160, 1], classes: 3 })
 */
export function plainUnet({
  filters = [30, 60, 120, 240, 320],
  normalization = "instance",
  slope = 0.1,
  dimensions,
  pooling,
}: PlainUnetOptions = {}): ModelSpec {
  const depth = filters.length;
  requireOption(
    depth >= 1 && depth <= 8 && filters.every((n) => Number.isInteger(n) && n >= 1),
    "plainUnet",
    "filters",
    "1..8 integers >= 1",
    filters,
  );
  requireOption(["batch", "instance", "none"].includes(normalization), "plainUnet", "normalization", '"batch", "instance" or "none"', normalization);
  requireOption(slope >= 0 && slope < 1, "plainUnet", "slope", "in [0, 1)", slope);
  requireOption(dimensions === undefined || dimensions === 2 || dimensions === 3, "plainUnet", "dimensions", "2 or 3", dimensions);
  const levels: Pooling = pooling ?? filters.map((_, level): Triple => (level === 0 ? [1, 2, 2] : [2, 2, 2]));
  requirePooling(levels, depth, "plainUnet");

  const spec: ModelSpec = {
    name: "plainUnet",
    // Triples are plain numbers; the readonly tuple type only hides that from Json.
    options: { filters, normalization, slope, pooling: levels as Json, ...(dimensions === undefined ? {} : { dimensions }) },
    dimensions: (patch: Triple) => dimensions ?? (patch[0] === 1 ? 2 : 3),
    divisor: (patch: Triple) => poolingDivisor(poolingFactors(levels, depth, patch)),
    build({ shape, classes, seed = 0 }) {
      const patch: Triple = [shape[0], shape[1], shape[2]];
      checkPatch(spec, patch);
      requireOption(Number.isInteger(classes) && classes >= 2, "plainUnet", "classes", "an integer >= 2", classes);
      const layers = layersFor({ dimensions: spec.dimensions(patch), shape, seed });
      const factors = poolingFactors(levels, depth, patch);

      const unit = (x: tfl.SymbolicTensor, n: number, name: string): tfl.SymbolicTensor =>
        layers.normalize(layers.conv(x, n, 3, name), normalization, `${name}_norm`, slope);
      const block = (x: tfl.SymbolicTensor, n: number, name: string): tfl.SymbolicTensor => unit(unit(x, n, `${name}_conv1`), n, `${name}_conv2`);

      const image = layers.input(); // D H W C
      let x = image;
      const skips: tfl.SymbolicTensor[] = [];
      for (let level = 0; level < depth; level++) {
        x = block(x, filters[level]!, `down${level}`);
        skips.push(x);
        x = layers.maxPool(x, factors[level]!, `pool${level}`);
      }
      x = block(x, filters[depth - 1]!, "bottom");
      for (let level = depth - 1; level >= 0; level--) {
        x = layers.up(x, filters[level]!, factors[level]!, `up${level}`);
        x = layers.concat(x, skips[level]!, `join${level}`); // twice the filters of the level
        x = block(x, filters[level]!, `up${level}`);
      }
      const logits = layers.conv(x, classes, 1, "logits"); // D H W classes
      return tfl.model({ inputs: image, outputs: logits, name: "plainUnet" });
    },
  };
  return spec;
}
