import type { SymbolicTensor } from "@tensorflow/tfjs-layers";
import { requireOption } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Triple } from "../core/shape.js";
import { defineNetwork } from "./define-network.js";
import type { Normalization } from "./layers-for.js";
import type { ModelSpec } from "./model-spec.js";
import { type Pooling, requirePooling } from "./pooling-factors.js";
import { requireDimensions, requireNormalization } from "./unet-options.js";

export interface PlainUnetOptions {
  /** Filters of each level, the finest first; the bottleneck repeats the last. */
  readonly filters?: readonly number[];
  readonly normalization?: Normalization;
  /** Groups of group normalization; 8. */
  readonly groups?: number;
  /** Share of the values set to 0 behind each convolution in training; 0. */
  readonly dropout?: number;
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
  groups = 8,
  dropout = 0,
  slope = 0.1,
  dimensions,
  pooling,
  ...unknown
}: PlainUnetOptions = {}): ModelSpec {
  requireKnownOptions("plainUnet", unknown, ["filters", "normalization", "groups", "dropout", "slope", "dimensions", "pooling"]);
  const depth = filters.length;
  requireOption(
    depth >= 1 && depth <= 8 && filters.every((n) => Number.isInteger(n) && n >= 1),
    "plainUnet",
    "filters",
    "1..8 integers >= 1",
    filters,
  );
  requireNormalization("plainUnet", normalization, groups);
  requireOption(dropout >= 0 && dropout < 1, "plainUnet", "dropout", "in [0, 1)", dropout);
  requireOption(slope >= 0 && slope < 1, "plainUnet", "slope", "in [0, 1)", slope);
  requireDimensions("plainUnet", dimensions);
  const levels: Pooling = pooling ?? filters.map((_, level): Triple => (level === 0 ? [1, 2, 2] : [2, 2, 2]));
  requirePooling(levels, depth, "plainUnet");

  return defineNetwork({
    name: "plainUnet",
    options: { filters, normalization, groups, slope, dropout, pooling: levels, dimensions },
    dimensions,
    groups,
    depth,
    pooling: levels,
    network({ layers, factors, classes }) {
      const unit = (x: SymbolicTensor, n: number, name: string): SymbolicTensor => {
        const y = layers.dropout(layers.conv(x, n, 3, name), dropout, `${name}_dropout`);
        return layers.normalize(y, normalization, `${name}_norm`, { activation: "leakyRelu", slope });
      };
      const block = (x: SymbolicTensor, n: number, name: string): SymbolicTensor => unit(unit(x, n, `${name}_conv1`), n, `${name}_conv2`);

      const image = layers.input(); // D H W C
      let x = image;
      const skips: SymbolicTensor[] = [];
      for (let level = 0; level < depth; level++) {
        x = block(x, filters[level]!, `down${level}`); // D/2^level … filters of the level
        skips.push(x);
        x = layers.maxPool(x, factors[level]!, `pool${level}`);
      }
      x = block(x, filters[depth - 1]!, "bottom");
      for (let level = depth - 1; level >= 0; level--) {
        x = layers.up(x, filters[level]!, factors[level]!, `up${level}`);
        x = layers.concat([x, skips[level]!], `join${level}`); // twice the filters of the level
        x = block(x, filters[level]!, `up${level}`);
      }
      const logits = layers.conv(x, classes, 1, "logits"); // D H W classes
      return { image, logits };
    },
  });
}
