import * as tf from "@tensorflow/tfjs-core";
import { requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { formatShape } from "../core/shape.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";

export interface DeepSupervisionOptions {
  /** Factor of each level's loss, the finest first; by default each level counts half as much as the one before, 1 in all. */
  readonly weights?: readonly number[];
}

/**
 * `Σ_k w_k loss(logits_k, target_k)` for a network that gives logits at several levels; the target of a coarser level is every so-many-th voxel of the label
 * map. On one level, as in validation, it is the loss itself.
 *
 * @shape logits (batch, …, classes), the finest first; target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when a weight is negative; `ERR_SHAPE` when there is not one weight per level, or levels do not divide the target
 * @source Lee et al. 2015, deeply-supervised nets; weights of nnU-Net, Isensee et al. 2021
 * @example
 * const [model, loss] = [residualEncoderUnet({ deepSupervision: true }), deepSupervision(diceLoss())];
 */
export function deepSupervision(loss: Loss, { weights, ...unknown }: DeepSupervisionOptions = {}): Loss {
  requireKnownOptions("deepSupervision", unknown, ["weights"]);
  requireOption(typeof loss === "function", "deepSupervision", "loss", "a loss", loss);
  requireOption(weights === undefined || weights.every((w) => w >= 0 && Number.isFinite(w)), "deepSupervision", "weights", "numbers >= 0", weights);
  const inner = loss.options ?? {};
  const { ignore } = inner as { ignore?: number };
  const options = { loss: { name: loss.name, options: inner }, ...(weights !== undefined && { weights }), ...(ignore !== undefined && { ignore }) };
  const factorsOf = (levels: number): readonly number[] => {
    if (weights === undefined || weights.length === levels) return weights ?? halves(levels);
    throw new VoxError(`weights must have one number for each of the network's ${levels} levels, got ${weights.length}`, {
      code: "ERR_SHAPE",
      where: "deepSupervision",
    });
  };
  const deep = (logits: readonly tf.Tensor[], target: tf.Tensor): tf.Scalar =>
    tf.tidy(() => {
      const factors = factorsOf(logits.length);
      return tf.addN(logits.map((level, k) => tf.mul(loss(level, coarser(target, level.shape)), factors[k]!))) as tf.Scalar;
    });
  const single = nameFunction(
    "deepSupervision",
    options,
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar => loss(logits, target),
    (classes) => loss.requireClasses?.(classes),
  );
  // On one level the loss is applied as it is.
  const requireLevels = (levels: number): void => void (levels > 1 && factorsOf(levels));
  return Object.assign(single, { deep, requireLevels });
}

/** 1, 1/2, 1/4, … over their sum. */
function halves(count: number): number[] {
  const powers = Array.from({ length: count }, (_, k) => 0.5 ** k);
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}

/** The target at the extent of coarser logits: of each block the voxel next to its center. Labels cannot be averaged. */
function coarser(target: tf.Tensor, shape: readonly number[]): tf.Tensor {
  let result = target;
  for (let axis = 1; axis < target.rank - 1; axis++) {
    const [extent, wanted] = [target.shape[axis]!, shape[axis]!];
    const factor = extent / wanted;
    if (!Number.isInteger(factor)) {
      throw new VoxError(`the extent of each level must divide the target's ${formatShape(target.shape)}, got ${formatShape(shape)}`, {
        code: "ERR_SHAPE",
        where: "deepSupervision",
      });
    }
    if (factor === 1) continue;
    const indices = tf.tensor1d(
      Array.from({ length: wanted }, (_, i) => i * factor + Math.floor((factor - 1) / 2)),
      "int32",
    );
    result = tf.gather(result, indices, axis);
  }
  return result;
}
