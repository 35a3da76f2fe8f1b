import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import {
  Adam,
  batchNormalization,
  convolution,
  instanceNormalization,
  softmaxStatistics,
  startEngine,
  transposedConvolution,
} from "../../src/engine/index.js";
import { relativeDifference } from "../../src/engine/self-check/evaluate-case.js";
import { native } from "../../src/kernels/native.js";

type Symbolic = tfl.SymbolicTensor;
const apply = (layer: tfl.layers.Layer, x: Symbolic | Symbolic[]) => layer.apply(x) as Symbolic;
let seed = 1;
const kernelInitializer = () => tfl.initializers.glorotUniform({ seed: seed++ });

/** A U-Net of two levels: convolution, ReLU and batch norm ("standard"), or instance norm and leaky ReLU ("plain"), or gated skips ("gated"). */
function network(kind: "standard" | "plain" | "gated"): tfl.LayersModel {
  seed = 1;
  const unit = (x: Symbolic, filters: number) =>
    kind === "plain"
      ? apply(
          instanceNormalization({ activation: "leakyRelu" }),
          apply(convolution({ filters, kernelSize: 3, kernelInitializer: kernelInitializer() }), x),
        )
      : apply(batchNormalization(), apply(convolution({ filters, kernelSize: 3, activation: "relu", kernelInitializer: kernelInitializer() }), x));
  const input = tfl.input({ shape: [8, 8, 8, 2] });
  const fine = unit(unit(input, 5), 8);
  const coarse = unit(apply(tfl.layers.maxPooling3d({ poolSize: 2, strides: 2 }), fine), 17);
  const up = apply(transposedConvolution({ filters: 8, kernelSize: 2, strides: 2, kernelInitializer: kernelInitializer() }), coarse);
  let skip = fine;
  if (kind === "gated") {
    // Attention gate: a coefficient per voxel from both paths (Oktay et al. 2018).
    const both = apply(tfl.layers.reLU(), apply(tfl.layers.add(), [project(fine, 4), project(up, 4)]));
    const gate = apply(tfl.layers.activation({ activation: "sigmoid" }), project(both, 8));
    skip = apply(tfl.layers.multiply(), [fine, gate]);
  }
  const joined = unit(apply(tfl.layers.concatenate(), [up, skip]), 8);
  return tfl.model({ inputs: input, outputs: project(joined, 3) });
}

function project(x: Symbolic, filters: number): Symbolic {
  return apply(convolution({ filters, kernelSize: 1, kernelInitializer: kernelInitializer() }), x);
}

function batch(): { x: tf.Tensor; labels: tf.Tensor } {
  const x = tf.randomNormal([2, 8, 8, 8, 2], 0, 1, "float32", 4);
  const labels = tf.cast(tf.clipByValue(tf.floor(tf.add(tf.sum(x, -1, true), 1)), 0, 2), "int32");
  return { x, labels };
}

function lossOf(model: tfl.LayersModel, x: tf.Tensor, labels: tf.Tensor): tf.Scalar {
  const { overlap, predicted, actual, surprise } = softmaxStatistics(model.apply(x, { training: true }) as tf.Tensor, labels);
  const dice = tf.mean(tf.div(tf.add(tf.mul(overlap, 2), 1e-3), tf.add(tf.add(predicted, actual), 1e-3)));
  return tf.sub(tf.div(tf.sum(surprise), labels.size), dice) as tf.Scalar;
}

function gradientsOf(kind: "standard" | "plain" | "gated"): { loss: number; gradients: Float32Array[] } {
  const model = network(kind);
  const { x, labels } = batch();
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const { value, grads } = tf.variableGrads(() => lossOf(model, x, labels), variables);
  const result = { loss: value.dataSync()[0]!, gradients: variables.map(({ name }) => Float32Array.from(grads[name]!.dataSync())) };
  tf.dispose([x, labels, value, ...Object.values(grads)]);
  model.dispose();
  return result;
}

function losses(steps: number): number[] {
  const model = network("standard");
  const { x, labels } = batch();
  const optimizer = new Adam({ learningRate: 1e-3 });
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const all = Array.from({ length: steps }, () => {
    const { value, grads } = tf.variableGrads(() => lossOf(model, x, labels), variables);
    optimizer.applyGradients(grads);
    const loss = value.dataSync()[0]!;
    tf.dispose([value, ...Object.values(grads)]);
    return loss;
  });
  tf.dispose([x, labels]);
  optimizer.dispose();
  model.dispose();
  return all;
}

describe.skipIf(!native())("whole networks", () => {
  beforeAll(async () => {
    await startEngine({ engine: "native", threads: 2 });
  });

  it.each(["standard", "plain", "gated"] as const)("%s: gradients of all weights equal those of cpu within 1e-4", (kind) => {
    tf.setBackend("cpu");
    const expected = gradientsOf(kind);
    tf.setBackend("native");
    const actual = gradientsOf(kind);
    expect(Math.abs(actual.loss - expected.loss)).toBeLessThan(1e-4);
    // Relative to the largest gradient of the network: a bias before a normalization has none but rounding.
    const scale = Math.max(...expected.gradients.map((gradient) => Math.max(...gradient.map(Math.abs))));
    expect(scale).toBeGreaterThan(1e-3);
    expected.gradients.forEach((gradient, i) => {
      const own = Math.max(...gradient.map(Math.abs));
      if (own > 1e-4 * scale)
        expect(relativeDifference(actual.gradients[i]!, gradient), `weight ${i}`).toBeLessThan(1e-4 * Math.max(1, scale / own / 10));
    });
  });

  it("a tiny network's gradient equals finite differences", () => {
    const model = network("plain");
    const { x, labels } = batch();
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const { grads } = tf.variableGrads(() => lossOf(model, x, labels), variables);
    const value = () => tf.tidy(() => lossOf(model, x, labels).dataSync()[0]!);
    // Along the gradient itself the slope is its squared length: one number that involves every weight.
    const length = Math.sqrt(variables.reduce((sum, { name }) => sum + tf.sum(tf.square(grads[name]!)).dataSync()[0]!, 0));
    const step = 2e-3;
    const move = (by: number) => {
      for (const variable of variables) tf.tidy(() => variable.assign(tf.add(variable, tf.mul(grads[variable.name]!, by / length))));
    };
    move(step);
    const high = value();
    move(-2 * step);
    const low = value();
    expect((high - low) / (2 * step) / length).toBeCloseTo(1, 2);
    tf.dispose([x, labels, ...Object.values(grads)]);
    model.dispose();
  });

  it("the same seed and threads give the same bits, and 50 steps give the losses of cpu within 1e-3", () => {
    tf.setBackend("native");
    const first = losses(50);
    expect(losses(50)).toEqual(first);
    tf.setBackend("cpu");
    const expected = losses(50);
    tf.setBackend("native");
    expect(Math.abs(first.at(-1)! - expected.at(-1)!)).toBeLessThan(1e-3);
    expect(first.at(-1)!).toBeLessThan(first[0]! - 0.15);
  }, 180_000);

  it("training leaves no tensors and no pooled memory behind", async () => {
    const engine = await startEngine({ engine: "native" });
    const model = network("standard");
    const { x, labels } = batch();
    const optimizer = new Adam({ learningRate: 1e-3 });
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const step = () => {
      const { value, grads } = tf.variableGrads(() => lossOf(model, x, labels), variables);
      optimizer.applyGradients(grads);
      tf.dispose([value, ...Object.values(grads)]);
    };
    for (let i = 0; i < 3; i++) step();
    const before = { tensors: tf.memory().numTensors, ...engine.poolBytes() };
    for (let i = 0; i < 60; i++) step();
    expect({ tensors: tf.memory().numTensors, ...engine.poolBytes() }).toEqual(before);
    tf.dispose([x, labels]);
    optimizer.dispose();
    model.dispose();
  });
});
