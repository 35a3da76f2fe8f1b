import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { VoxError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { loadBundle } from "../bundle/load-bundle.js";

/** What the weights of an earlier training gave to a new network. */
export interface InitReport {
  /** Weights that were taken, and all weights of the network. */
  readonly taken: number;
  readonly total: number;
  /** Layers that begin anew, with what does not fit: `logits (8x3 in the bundle, 8x4 here)`. */
  readonly anew: readonly string[];
}

/**
 * Gives a network the weights of a bundle: each weight whose layer, name and shape are the same. What does not fit keeps its fresh start, such as the last layer
 * of a network for other classes, or the first one for other channels. Networks of unnamed layers are matched by the order of their weights.
 *
 * @throws `ERR_BUNDLE` when the bundle cannot be read, or nothing in it fits
 * @example
 * const { anew } = await initWeights(model, "runs/kits/checkpoints/best");
 */
export async function initWeights(model: tfl.LayersModel, folder: string): Promise<InitReport> {
  const { model: source, description } = await loadBundle(folder);
  try {
    const own = model.weights;
    const given = new Map(source.weights.map((weight) => [weight.originalName, weight]));
    const isNamed = own.some(({ originalName }) => given.has(originalName));
    const isAlike = source.weights.length === own.length && own.every((weight, at) => sameShape(weight.shape, source.weights[at]!.shape));
    const anew = new Map<string, string>();
    let taken = 0;
    own.forEach((weight, at) => {
      const from = isNamed ? given.get(weight.originalName) : isAlike ? source.weights[at] : undefined;
      if (from && sameShape(weight.shape, from.shape)) {
        // A copy: the bundle's network is disposed.
        weight.write(tf.tidy(() => tf.clone(from.read())));
        taken++;
        return;
      }
      const layer = weight.originalName.split("/")[0]!;
      const why = from ? `${formatShape(from.shape as number[])} in the bundle, ${formatShape(weight.shape as number[])} here` : "not in the bundle";
      if (!anew.has(layer)) anew.set(layer, `${layer} (${why})`);
    });
    if (taken === 0) {
      throw new VoxError(
        `the bundle must have weights that fit the network, got none: it is ${description.model.name} ${JSON.stringify(description.model.options)}`,
        { code: "ERR_BUNDLE", where: folder },
      );
    }
    return { taken, total: own.length, anew: [...anew.values()] };
  } finally {
    source.dispose();
  }
}

function sameShape(a: readonly (number | null)[], b: readonly (number | null)[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}
