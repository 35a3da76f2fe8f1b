import type { SymbolicTensor } from "@tensorflow/tfjs-layers";
import { requireOption } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Triple } from "../core/shape.js";
import { defineNetwork } from "./define-network.js";
import type { Normalization } from "./layers-for.js";
import type { ModelSpec } from "./model-spec.js";
import { type Pooling, requirePooling } from "./pooling-factors.js";
import { requireDimensions, requireNormalization } from "./unet-options.js";

export interface ResidualEncoderUnetOptions {
  /** Filters of each stage, the finest first. */
  readonly filters?: readonly number[];
  /** Residual blocks of each stage on the way down; the last number holds for further stages. */
  readonly blocks?: readonly number[];
  readonly normalization?: Normalization;
  /** Groups of group normalization; 8. */
  readonly groups?: number;
  /** Slope of the leaky ReLU below zero. */
  readonly slope?: number;
  /** Share of the values set to 0 behind each convolution in training; 0. */
  readonly dropout?: number;
  /** Gives logits at every stage of the way up but the coarsest, for `deepSupervision`; predictions use the finest. */
  readonly deepSupervision?: boolean;
  readonly dimensions?: 2 | 3;
  /** One `[z, y, x]` factor between each two stages, `"auto"` or `"isotropic"`; the default spares thin axes. */
  readonly pooling?: Pooling;
}

/**
 * U-Net with a residual encoder, in the manner of nnU-Net's ResEnc presets: many residual blocks on the way down (strided convolutions instead of pooling),
 * one convolution per stage on the way up.
 *
 * @shape (batch, D, H, W, C) → (batch, D, H, W, classes), or without D in 2D; with deep supervision a list of such, each coarser than the one before
 * @throws `ERR_OPTION` for options outside their rule; `ERR_MODEL` when built for a patch that does not fit
 * @source Isensee et al. 2024, nnU-Net Revisited (ResEnc); blocks of He et al. 2016, with mean pooling on the shortcut as in ResNet-D, He et al. 2019
 * @example
 * residualEncoderUnet({ filters: [32, 64, 128, 256], deepSupervision: true }).build({ shape: [32, 64, 64, 1], classes: 3 })
 */
export function residualEncoderUnet({
  filters = [32, 64, 128, 256, 320, 320],
  blocks = [1, 3, 4, 6, 6, 6],
  normalization = "instance",
  groups = 8,
  slope = 0.01,
  dropout = 0,
  deepSupervision = false,
  dimensions,
  pooling = "auto",
  ...unknown
}: ResidualEncoderUnetOptions = {}): ModelSpec {
  const where = "residualEncoderUnet";
  requireKnownOptions(where, unknown, [
    "filters",
    "blocks",
    "normalization",
    "groups",
    "slope",
    "dropout",
    "deepSupervision",
    "dimensions",
    "pooling",
  ]);
  const isCount = (n: number): boolean => Number.isInteger(n) && n >= 1;
  requireOption(filters.length >= 2 && filters.length <= 9 && filters.every(isCount), where, "filters", "2..9 integers >= 1", filters);
  requireOption(blocks.length >= 1 && blocks.every(isCount), where, "blocks", "integers >= 1", blocks);
  requireNormalization(where, normalization, groups);
  requireOption(slope >= 0 && slope < 1, where, "slope", "in [0, 1)", slope);
  requireOption(dropout >= 0 && dropout < 1, where, "dropout", "in [0, 1)", dropout);
  requireDimensions(where, dimensions);
  const depth = filters.length - 1;
  requirePooling(pooling, depth, where);

  return defineNetwork({
    name: where,
    options: { filters, blocks, normalization, groups, slope, dropout, deepSupervision, dimensions, pooling },
    dimensions,
    groups,
    depth,
    pooling,
    network({ layers, factors, classes }) {
      const unit = (x: SymbolicTensor, n: number, name: string, strides: Triple = KEEP): SymbolicTensor => {
        const y = layers.dropout(layers.conv(x, n, 3, name, { strides }), dropout, `${name}_dropout`);
        return layers.normalize(y, normalization, `${name}_norm`, { activation: "leakyRelu", slope });
      };
      const block = (x: SymbolicTensor, n: number, strides: Triple, name: string): SymbolicTensor => {
        const y = layers.conv(unit(x, n, `${name}_conv1`, strides), n, 3, `${name}_conv2`);
        let shortcut = strides.some((factor) => factor > 1) ? layers.meanPool(x, strides, `${name}_pool`) : x;
        if (x.shape.at(-1) !== n) {
          shortcut = layers.conv(shortcut, n, 1, `${name}_shortcut`, { useBias: false });
          shortcut = layers.normalize(shortcut, normalization, `${name}_shortcut_norm`);
        }
        const sum = layers.add(layers.normalize(y, normalization, `${name}_conv2_norm`), shortcut, `${name}_add`);
        return layers.normalize(sum, "none", `${name}_activation`, { activation: "leakyRelu", slope });
      };

      const image = layers.input(); // D H W C
      let x = unit(image, filters[0]!, "stem"); // D H W filters[0]
      const skips: SymbolicTensor[] = [];
      for (const [stage, n] of filters.entries()) {
        const count = blocks[Math.min(stage, blocks.length - 1)]!;
        for (let k = 0; k < count; k++) x = block(x, n, stage > 0 && k === 0 ? factors[stage - 1]! : KEEP, `down${stage}_${k}`); // D/2^stage … n
        skips.push(x);
      }
      const logits: SymbolicTensor[] = [];
      for (let stage = depth - 1; stage >= 0; stage--) {
        const n = filters[stage]!;
        x = layers.up(x, n, factors[stage]!, `up${stage}`);
        x = layers.concat([x, skips[stage]!], `join${stage}`); // D/2^stage … 2 n
        x = unit(x, n, `up${stage}_conv`); // D/2^stage … n
        if (stage === 0 || deepSupervision) logits.unshift(layers.conv(x, classes, 1, stage === 0 ? "logits" : `logits${stage}`)); // … classes
      }
      return { image, logits: logits.length === 1 ? logits[0]! : logits };
    },
  });
}

const KEEP: Triple = [1, 1, 1];
