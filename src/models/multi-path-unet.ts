import type { SymbolicTensor } from "@tensorflow/tfjs-layers";
import { requireOption } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Triple } from "../core/shape.js";
import { defineNetwork } from "./define-network.js";
import type { Normalization } from "./layers-for.js";
import type { ModelSpec } from "./model-spec.js";
import { requireDimensions, requireNormalization } from "./unet-options.js";

export interface EncoderPath {
  /** By what each level of the path pools. */
  readonly factor: number;
  /** Filters of each level, the finest first; the bottleneck repeats the last. */
  readonly filters: readonly number[];
}

export interface MultiPathUnetOptions {
  /** Encoders side by side, which pool at their own pace and all end at the same extent. */
  readonly paths?: readonly EncoderPath[];
  readonly normalization?: Normalization;
  /** Groups of group normalization; 8. */
  readonly groups?: number;
  /** Share of the channels set to 0 behind each level in training; 0.5. */
  readonly dropout?: number;
  /** Slope of the leaky ReLU below zero. */
  readonly slope?: number;
  readonly dimensions?: 2 | 3;
}

const PATHS: readonly EncoderPath[] = [
  { factor: 4, filters: [40, 240] },
  { factor: 2, filters: [40, 80, 160, 220] },
];

/**
 * Multi-path U-Net: several encoders side by side, one coarse, one fine; their bottlenecks are joined and normalized voxel by voxel, and each path decodes
 * from all of them with its own skips. A 1x1(x1) convolution makes logits of all decoders together.
 *
 * @shape (batch, D, H, W, C) → (batch, D, H, W, classes), or without D in 2D; by default D, H, W divisible by 16
 * @throws `ERR_OPTION` for options outside their rule; `ERR_MODEL` when built for a patch that does not fit
 * @source "multiPath" of MIScnn's development branch
 * @example
 * multiPathUnet({ paths: [{ factor: 4, filters: [16, 64] }, { factor: 2, filters: [16, 32, 48, 64] }] }).build({ shape: [32, 64, 64, 1], classes: 3 })
 */
export function multiPathUnet({
  paths = PATHS,
  normalization = "instance",
  groups = 8,
  dropout = 0.5,
  slope = 0.1,
  dimensions,
  ...unknown
}: MultiPathUnetOptions = {}): ModelSpec {
  const where = "multiPathUnet";
  requireKnownOptions(where, unknown, ["paths", "normalization", "groups", "dropout", "slope", "dimensions"]);
  requireOption(
    paths.length > 0 &&
      paths.every(
        ({ factor, filters }) =>
          Number.isInteger(factor) && factor >= 2 && factor <= 8 && filters.length > 0 && filters.every((n) => Number.isInteger(n) && n >= 1),
      ),
    where,
    "paths",
    "one or more, each with a factor 2..8 and a list of filters >= 1, one per level",
    paths,
  );
  const total = ({ factor, filters }: EncoderPath): number => factor ** filters.length;
  const reduction = total(paths[0]!);
  requireOption(
    paths.every((path) => total(path) === reduction),
    where,
    "paths",
    "as long as their factor asks for: all must reduce the patch alike",
    paths.map(total),
  );
  requireNormalization(where, normalization, groups);
  requireOption(dropout >= 0 && dropout < 1, where, "dropout", "in [0, 1)", dropout);
  requireOption(slope >= 0 && slope < 1, where, "slope", "in [0, 1)", slope);
  requireDimensions(where, dimensions);

  return defineNetwork({
    name: where,
    options: { paths, normalization, groups, dropout, slope, dimensions },
    dimensions,
    groups,
    // What the whole of a path pools, as if it were one level.
    depth: 1,
    pooling: [[reduction, reduction, reduction]],
    network({ layers, factors, classes }) {
      const isFlat = factors[0]![0] === 1;
      const unit = (x: SymbolicTensor, n: number, name: string): SymbolicTensor =>
        layers.normalize(layers.conv(x, n, 3, name), normalization, `${name}_norm`, { activation: "leakyRelu", slope });
      const block = (x: SymbolicTensor, n: number, name: string): SymbolicTensor => unit(unit(x, n, `${name}_conv1`), n, `${name}_conv2`);
      const drop = (x: SymbolicTensor, name: string): SymbolicTensor => layers.dropout(x, dropout, name, { perChannel: true });

      const image = layers.input(); // D H W C
      const encoders = paths.map(({ factor, filters }, p) => {
        const stride: Triple = [isFlat ? 1 : factor, factor, factor];
        const skips: SymbolicTensor[] = [];
        let x = image;
        for (const [level, n] of filters.entries()) {
          x = block(x, n, `path${p}_down${level}`); // D/factor^level … n
          skips.push(x);
          x = drop(layers.maxPool(x, stride, `path${p}_pool${level}`), `path${p}_down${level}_dropout`);
        }
        return { stride, filters, skips, bottom: block(x, filters.at(-1)!, `path${p}_bottom`) };
      });
      const bottoms = encoders.map(({ bottom }) => bottom);
      const shared = layers.normalizeChannels(layers.concat(bottoms, "bottoms"), "bottoms_norm"); // D/reduction … sum of the last filters
      const decoded = encoders.map(({ stride, filters, skips }, p) => {
        let x = shared;
        for (let level = filters.length - 1; level >= 0; level--) {
          x = drop(layers.up(x, filters[level]!, stride, `path${p}_up${level}`), `path${p}_up${level}_dropout`);
          x = layers.concat([x, skips[level]!], `path${p}_join${level}`); // D/factor^level … 2 n
          x = block(x, filters[level]!, `path${p}_up${level}`); // D/factor^level … n
        }
        return x;
      });
      const logits = layers.conv(layers.concat(decoded, "paths"), classes, 1, "logits"); // D H W classes
      return { image, logits };
    },
  });
}
