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
import { native } from "../../src/kernels/native.js";
import { attentionUnet, plainUnet, residualUnet, unet } from "../../src/models/index.js";

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

  // The library's own networks, on a patch whose layers reach every kind of convolution kernel (direct and by minimal filtering).
  const networks = {
    "the standard U-Net with batch normalization": () => unet({ filters: 8, depth: 2 }),
    "the plain U-Net with instance normalization": () => plainUnet({ filters: [8, 16, 16] }),
    "the attention U-Net": () => attentionUnet({ filters: 8, depth: 2 }),
    "the residual U-Net with group normalization and dropout": () => residualUnet({ filters: 8, depth: 2, normalization: "group", dropout: 0.2 }),
  } as const;
  it.each(Object.entries(networks))(
    "%s: the gradient of every weight equals that of cpu within 1e-4 of its largest value",
    (_, make) => {
      const gradients = (backend: string) => {
        tf.setBackend(backend);
        const model = make().build({ shape: [8, 16, 16, 1], classes: 3 });
        const x = tf.randomNormal([2, 8, 16, 16, 1], 0, 1, "float32", 4);
        const labels = tf.cast(tf.clipByValue(tf.floor(tf.add(x, 1)), 0, 2), "int32");
        const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
        const { value, grads } = tf.variableGrads(() => lossOf(model, x, labels), variables);
        const result = { loss: value.dataSync()[0]!, all: variables.map(({ name }) => Float32Array.from(grads[name]!.dataSync())) };
        tf.dispose([x, labels, value, ...Object.values(grads)]);
        model.dispose();
        return result;
      };
      const expected = gradients("cpu");
      const actual = gradients("native");
      expect(Math.abs(actual.loss - expected.loss) / Math.abs(expected.loss)).toBeLessThan(1e-4);
      const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const scale = Math.max(...expected.all.map(largest));
      expect(scale).toBeGreaterThan(1e-3);
      let compared = 0;
      expected.all.forEach((gradient, i) => {
        const own = largest(gradient);
        const difference = largest(gradient.map((value, k) => value - actual.all[i]![k]!));
        // A bias in front of a normalization has no gradient; what is there is rounding of sums of this size.
        if (own < 1e-5 * scale) expect(difference, `weight ${i}`).toBeLessThan(1e-6 * scale);
        else {
          expect(difference / own, `weight ${i}`).toBeLessThan(1e-4);
          compared++;
        }
      });
      expect(compared).toBeGreaterThan(expected.all.length / 2);
    },
    120_000,
  );

  it("a tiny network's gradient equals finite differences, for all weights at once and for each layer", () => {
    const model = network("plain");
    const { x, labels } = batch();
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const { grads } = tf.variableGrads(() => lossOf(model, x, labels), variables);
    const value = () => tf.tidy(() => lossOf(model, x, labels).dataSync()[0]!);
    const norm = (among: readonly tf.Variable[]) =>
      Math.sqrt(among.reduce((sum, { name }) => sum + tf.tidy(() => tf.sum(tf.square(grads[name]!)).dataSync()[0]!), 0));
    // Along the gradient itself the slope is its length: one number that involves every weight.
    const slopeRatio = (among: readonly tf.Variable[], step: number) => {
      const start = among.map((variable) => tf.clone(variable));
      const length = norm(among);
      const at = (by: number) => {
        among.forEach((variable, i) => {
          tf.tidy(() => variable.assign(tf.add(start[i]!, tf.mul(grads[variable.name]!, by / length))));
        });
        return value();
      };
      const slope = (at(step) - at(-step)) / (2 * step);
      at(0);
      tf.dispose(start);
      return slope / length;
    };
    expect(slopeRatio(variables, 2e-3)).toBeCloseTo(1, 2);
    // The loss is a float32: only slopes that stand out of its rounding can be measured.
    const steep = variables.filter((variable) => norm([variable]) > 0.02);
    expect(steep.length).toBeGreaterThan(6);
    for (const variable of steep) expect(Math.abs(slopeRatio([variable], 5e-3) - 1), variable.name).toBeLessThan(0.02);
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
    first.forEach((loss, step) => {
      expect(Math.abs(loss - expected[step]!), `step ${step}`).toBeLessThan(1e-3);
    });
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
