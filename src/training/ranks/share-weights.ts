import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { Ranks } from "./ranks.js";

/**
 * Gives every rank the weights of rank 0, moving statistics of batch normalization included: those follow each rank's own batches, and machines of different
 * kinds may round differently.
 */
export async function shareWeights(ranks: Ranks, model: tfl.LayersModel): Promise<void> {
  if (ranks.size === 1) return;
  const tensors = model.weights.map((weight) => weight.read());
  const flat = new Float32Array(tensors.reduce((sum, { size }) => sum + size, 0));
  // The sum with zeros is rank 0's.
  if (ranks.rank === 0) {
    let at = 0;
    for (const tensor of tensors) {
      flat.set(await tensor.data<"float32">(), at);
      at += tensor.size;
    }
  }
  await ranks.gather(null);
  await ranks.sum(flat);
  if (ranks.rank === 0) return;
  let at = 0;
  for (const weight of model.weights) {
    const { shape, size } = weight.read();
    const value = tf.tensor(flat.slice(at, at + size), shape as number[]);
    weight.write(value);
    value.dispose();
    at += size;
  }
}
