import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { Adam, batchNormalization, convolution, softmaxStatistics, startEngine, transposedConvolution } from "../../engine/index.js";
import type { BenchCase, BenchResult } from "./bench-result.js";
import { measure } from "./measure.js";

interface Network {
  readonly name: string;
  readonly patch: number;
  readonly base: number;
  readonly poolings: number;
  readonly normalized: boolean;
}

const NETWORKS: readonly Network[] = [
  { name: "p32-b16", patch: 32, base: 16, poolings: 2, normalized: false },
  { name: "p64-b16", patch: 64, base: 16, poolings: 2, normalized: false },
  { name: "p64-b32", patch: 64, base: 32, poolings: 2, normalized: false },
  { name: "standard-bn-p64-b16", patch: 64, base: 16, poolings: 4, normalized: true },
];

const BATCH = 2;
const CLASSES = 3;

/** Two 3x3x3 convolutions with ReLU per level (and batch normalization), max pooling, transposed convolution, concatenation: as PyTorch's in the peer script. */
function network({ patch, base, poolings, normalized }: Network): tfl.LayersModel {
  const apply = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor | tfl.SymbolicTensor[]) => layer.apply(x) as tfl.SymbolicTensor;
  const block = (x: tfl.SymbolicTensor, filters: number) => {
    let y = x;
    for (let i = 0; i < 2; i++) {
      y = apply(convolution({ filters, kernelSize: 3, activation: "relu" }), y);
      if (normalized) y = apply(batchNormalization(), y);
    }
    return y;
  };
  const input = tfl.input({ shape: [patch, patch, patch, 1] });
  let x = input;
  const skips: tfl.SymbolicTensor[] = [];
  for (let level = 0; level < poolings; level++) {
    x = block(x, base * 2 ** level);
    skips.push(x);
    x = apply(tfl.layers.maxPooling3d({ poolSize: 2, strides: 2 }), x);
  }
  x = block(x, base * 2 ** poolings);
  for (let level = poolings - 1; level >= 0; level--) {
    x = apply(transposedConvolution({ filters: base * 2 ** level, kernelSize: 2, strides: 2 }), x);
    x = block(apply(tfl.layers.concatenate(), [x, skips[level]!]), base * 2 ** level);
  }
  return tfl.model({ inputs: input, outputs: apply(convolution({ filters: CLASSES, kernelSize: 1 }), x) });
}

/** Forward pass and whole training step (forward, cross-entropy, backward, Adam) of 3D U-Nets on the engine that `--engine auto` takes. */
export const benchUnet: BenchCase = async ({ threads, runs, note }) => {
  const engine = await startEngine({ engine: "auto", threads });
  note(`engine ${engine.name}, ${engine.threads} threads`);
  const results: BenchResult[] = [];
  for (const one of NETWORKS) {
    const shape = `${BATCH}x${one.patch}x${one.patch}x${one.patch}x1`;
    const model = network(one);
    const optimizer = new Adam({ learningRate: 1e-4 });
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const size: [number, number, number, number, number] = [BATCH, one.patch, one.patch, one.patch, 1];
    const x = tf.randomNormal(size, 0, 1, "float32", 1);
    const labels = tf.cast(tf.floor(tf.randomUniform(size, 0, CLASSES, "float32", 2)), "int32");
    const forward = () => tf.dispose(model.apply(x, { training: false }) as tf.Tensor);
    const step = () => {
      const { value, grads } = tf.variableGrads(() => {
        const { surprise } = softmaxStatistics(model.apply(x, { training: true }) as tf.Tensor, labels);
        return tf.div(tf.sum(surprise), labels.size) as tf.Scalar;
      }, variables);
      optimizer.applyGradients(grads);
      tf.dispose([value, ...Object.values(grads)]);
    };
    results.push(await measure(`unet/${one.name}/forward`, shape, runs, forward, () => undefined));
    const timed = await measure(`unet/${one.name}/step`, shape, runs, step, () => undefined);
    results.push({ ...timed, peakRssMB: Math.round(process.resourceUsage().maxRSS / 1024) });
    optimizer.dispose();
    model.dispose();
    tf.dispose([x, labels]);
  }
  return results;
};
