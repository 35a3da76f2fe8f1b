import * as tfl from "@tensorflow/tfjs-layers";
import { requireOption } from "../core/errors.js";
import type { Json } from "../core/json.js";
import type { Triple } from "../core/shape.js";
import { checkPatch } from "./check-patch.js";
import { type Activation, layersFor, type Normalization } from "./layers-for.js";
import type { ModelSpec } from "./model-spec.js";
import { type Pooling, poolingDivisor, poolingFactors, requirePooling } from "./pooling-factors.js";

export interface UnetOptions {
  /** Filters of the finest level, doubled at each coarser one; 32 as in MIScnn. */
  readonly filters?: number;
  /** Levels below the finest. */
  readonly depth?: number;
  readonly normalization?: Normalization;
  readonly activation?: Activation;
  /** 2 or 3; from the patch when absent: depth 1 means 2D. */
  readonly dimensions?: 2 | 3;
  /** `"isotropic"` halves every axis at every level; `"auto"` spares thin axes; or one `[z, y, x]` factor per level, the finest first. */
  readonly pooling?: Pooling;
}

/**
 * Standard U-Net: `depth` levels of two 3x3(x3) convolutions, each followed by the activation and then by normalization, max pooling down, transposed
 * convolution up, skips by concatenation, and a 1x1(x1) convolution to one logit per class.
 *
 * @shape (batch, D, H, W, C) → (batch, D, H, W, classes), or without D in 2D; D, H, W divisible by `2^depth` with isotropic pooling
 * @throws `ERR_OPTION` for options outside their rule; `ERR_MODEL` when built for a patch that does not fit
 * @source Ronneberger et al. 2015; Çiçek et al. 2016; layer order of MIScnn 1.4 "standard" (activation before normalization)
 * @example
 * unet({ filters: 16, depth: 3 }).build({ shape: [32, 64, 64, 1], classes: 3 })
 */
export function unet({
  filters = 32,
  depth = 4,
  normalization = "batch",
  activation = "relu",
  dimensions,
  pooling = "isotropic",
}: UnetOptions = {}): ModelSpec {
  requireOption(Number.isInteger(filters) && filters >= 1, "unet", "filters", "an integer >= 1", filters);
  requireOption(Number.isInteger(depth) && depth >= 1 && depth <= 8, "unet", "depth", "an integer 1..8", depth);
  requireOption(["batch", "instance", "none"].includes(normalization), "unet", "normalization", '"batch", "instance" or "none"', normalization);
  requireOption(["relu", "leakyRelu", "elu"].includes(activation), "unet", "activation", '"relu", "leakyRelu" or "elu"', activation);
  requireOption(dimensions === undefined || dimensions === 2 || dimensions === 3, "unet", "dimensions", "2 or 3", dimensions);
  requirePooling(pooling, depth, "unet");

  const spec: ModelSpec = {
    name: "unet",
    // Triples are plain numbers; the readonly tuple type only hides that from Json.
    options: { filters, depth, normalization, activation, pooling: pooling as Json, ...(dimensions === undefined ? {} : { dimensions }) },
    dimensions: (patch: Triple) => dimensions ?? (patch[0] === 1 ? 2 : 3),
    divisor: (patch: Triple) => poolingDivisor(poolingFactors(pooling, depth, patch)),
    build({ shape, classes, seed = 0 }) {
      const patch: Triple = [shape[0], shape[1], shape[2]];
      checkPatch(spec, patch);
      requireOption(Number.isInteger(classes) && classes >= 2, "unet", "classes", "an integer >= 2", classes);
      const layers = layersFor({ dimensions: spec.dimensions(patch), shape, seed });
      const factors = poolingFactors(pooling, depth, patch);

      const unit = (x: tfl.SymbolicTensor, n: number, name: string): tfl.SymbolicTensor => {
        const y = layers.conv(x, n, 3, name, activation);
        return layers.normalize(y, normalization, `${name}_norm`);
      };
      const block = (x: tfl.SymbolicTensor, n: number, name: string): tfl.SymbolicTensor => unit(unit(x, n, `${name}_conv1`), n, `${name}_conv2`);

      const image = layers.input(); // D H W C
      let x = image;
      const skips: tfl.SymbolicTensor[] = [];
      for (let level = 0; level < depth; level++) {
        x = block(x, filters * 2 ** level, `down${level}`); // D/2^level … filters * 2^level
        skips.push(x);
        x = layers.maxPool(x, factors[level]!, `pool${level}`);
      }
      x = block(x, filters * 2 ** depth, "bottom"); // D/2^depth … filters * 2^depth
      for (let level = depth - 1; level >= 0; level--) {
        const n = filters * 2 ** level;
        x = layers.up(x, n, factors[level]!, `up${level}`);
        x = layers.concat(x, skips[level]!, `join${level}`); // D/2^level … 2 n
        x = block(x, n, `up${level}`); // D/2^level … n
      }
      const logits = layers.conv(x, classes, 1, "logits"); // D H W classes
      return tfl.model({ inputs: image, outputs: logits, name: "unet" });
    },
  };
  return spec;
}
