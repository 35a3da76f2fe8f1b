import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { flatTensors } from "./flat-tensors.js";
import type { Ranks } from "./ranks.js";

/**
 * Gives every rank the weights of rank 0, moving statistics of batch normalization included: those follow each rank's own batches, and machines of different
 * kinds may round differently.
 */
export async function shareWeights(ranks: Ranks, model: tfl.LayersModel): Promise<void> {
  if (ranks.size === 1) return;
  const tensors = model.weights.map((weight) => weight.read());
  // The sum with zeros is rank 0's.
  const flat = ranks.rank === 0 ? await flatTensors.join(tensors) : new Float32Array(tensors.reduce((sum, { size }) => sum + size, 0));
  // Nothing to tell, but a sum must begin when all ranks are there: it waits spinning, a gather sleeps.
  await ranks.gather(null);
  await ranks.sum(flat);
  if (ranks.rank === 0) return;
  const values = flatTensors.split(
    flat,
    tensors.map(({ shape }) => shape),
  );
  for (const [k, weight] of model.weights.entries()) weight.write(values[k]!);
  tf.dispose(values);
}
