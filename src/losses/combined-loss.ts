import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Loss } from "./loss.js";
import { nameFunction } from "./name-function.js";

export interface CombinedLossOptions {
  readonly losses: readonly Loss[];
  /** One factor per loss; absent: 1 each. */
  readonly weights?: readonly number[];
}

/**
 * `Σ_k w_k loss_k`.
 *
 * @shape logits (batch, …, classes); target (batch, …, 1) or one-hot → scalar
 * @throws `ERR_OPTION` when there is no loss, not one weight per loss, or they ignore different labels
 * @source dice_crossentropy and tversky_crossentropy of MIScnn 1.4 are such sums
 * @example
 * combinedLoss({ losses: [tverskyLoss(), crossEntropyLoss()] })(logits, target)
 */
export function combinedLoss({ losses, weights = losses?.map(() => 1), ...unknown }: CombinedLossOptions): Loss {
  requireKnownOptions("combinedLoss", unknown, ["losses", "weights"]);
  requireOption(Array.isArray(losses), "combinedLoss", "losses", "a list of losses", losses);
  requireOption(losses.length > 0 && losses.every((loss) => typeof loss === "function"), "combinedLoss", "losses", "one loss or more", losses.length);
  requireOption(weights.length === losses.length && weights.every(Number.isFinite), "combinedLoss", "weights", `${losses.length} numbers`, weights);
  const ignored = losses.map((loss) => (loss.options as { ignore?: number } | undefined)?.ignore);
  requireOption(new Set(ignored).size === 1, "combinedLoss", "losses", "losses that ignore the same label", ignored);
  const options = {
    losses: losses.map((loss) => ({ name: loss.name, options: loss.options ?? {} })),
    weights,
    ...(ignored[0] !== undefined && { ignore: ignored[0] }),
  };
  return nameFunction(
    "combinedLoss",
    options,
    (logits: tf.Tensor, target: tf.Tensor): tf.Scalar =>
      tf.tidy(() => {
        const terms = losses.map((loss, k) => tf.mul(loss(logits, target), weights[k]!));
        return terms.reduce((sum, term) => tf.add(sum, term)) as tf.Scalar;
      }),
    (classes) => {
      for (const loss of losses) loss.requireClasses?.(classes);
    },
  );
}
