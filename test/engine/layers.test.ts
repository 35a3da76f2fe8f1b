import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import {
  batchNormalization,
  convolution,
  dropout,
  groupNormalization,
  instanceNormalization,
  startEngine,
  transposedConvolution,
  upSampling3d,
} from "../../src/engine/index.js";

function network(rank: 4 | 5): tfl.LayersModel {
  const input = tfl.input({ shape: rank === 5 ? [4, 4, 4, 2] : [4, 4, 2] });
  const apply = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor) => layer.apply(x) as tfl.SymbolicTensor;
  let x = apply(convolution({ filters: 6, kernelSize: 3, activation: "leakyRelu", alpha: 0.1, name: "conv" }), input);
  x = apply(batchNormalization({ name: "batch" }), x);
  x = apply(convolution({ filters: 6, kernelSize: 2, strides: 2, useBias: false, name: "down" }), x);
  x = apply(instanceNormalization({ activation: "relu", name: "instance" }), x);
  x = apply(transposedConvolution({ filters: 4, kernelSize: 2, strides: 2, name: "up" }), x);
  x = apply(groupNormalization({ groups: 2, name: "group" }), x);
  x = apply(upSampling3d({ size: 2, interpolation: "linear", name: "large" }), x);
  return tfl.model({ inputs: input, outputs: apply(dropout({ rate: 0.3, name: "drop" }), x) });
}

describe("layers", () => {
  beforeAll(async () => {
    await startEngine({ engine: "auto", seed: 3 });
  });

  it.each([4, 5] as const)("of rank %i give the declared shape and survive saving and loading", async (rank) => {
    const model = network(rank);
    const x = tf.randomNormal(rank === 5 ? [2, 4, 4, 4, 2] : [2, 4, 4, 2], 0, 1, "float32", 5);
    // Moves the statistics away from their start.
    for (let i = 0; i < 3; i++) tf.dispose(model.apply(x, { training: true }) as tf.Tensor);
    const y = model.predict(x) as tf.Tensor;
    expect(y.shape).toEqual([2, ...model.outputs[0]!.shape.slice(1)]);
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save({
      save: async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
      },
    });
    const loaded = await tfl.loadLayersModel({
      load: async () => JSON.parse(JSON.stringify({ ...saved, weightData: undefined }), reviveWeights(saved!)),
    });
    expect([...(loaded.predict(x) as tf.Tensor).dataSync()]).toEqual([...y.dataSync()]);
  });

  it("batch normalization learns moving statistics and uses them in prediction", () => {
    const layer = batchNormalization({ momentum: 0, epsilon: 1e-6 });
    const x = tf.add(tf.mul(tf.randomNormal([4, 3, 3, 3, 2], 0, 1, "float32", 9), 3), 7);
    const trained = layer.apply(x, { training: true }) as tf.Tensor;
    const { mean, variance } = tf.moments(trained, [0, 1, 2, 3]);
    for (const value of mean.dataSync()) expect(value).toBeCloseTo(0, 4);
    for (const value of variance.dataSync()) expect(value).toBeCloseTo(1, 3);
    const predicted = layer.apply(x, { training: false }) as tf.Tensor;
    const difference = tf.max(tf.abs(tf.sub(predicted, trained))).dataSync()[0];
    expect(difference).toBeLessThan(1e-4);
  });

  it("dropout drops the same values at the same step only", async () => {
    const engine = await startEngine({ engine: "auto", seed: 11 });
    const layer = dropout({ rate: 0.5, name: "masked" });
    const x = tf.ones([1, 4, 4, 4, 8]);
    const at = (step: number) => {
      engine.step = step;
      return [...(layer.apply(x, { training: true }) as tf.Tensor).dataSync()];
    };
    const first = at(1);
    expect(at(2)).not.toEqual(first);
    expect(at(1)).toEqual(first);
    const share = first.filter((value) => value === 0).length / first.length;
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.6);
    expect(new Set(first)).toEqual(new Set([0, 2]));
  });

  it("refuses options outside their rule, naming them", () => {
    expect(() => convolution({ filters: 0, kernelSize: 3 })).toThrow("convolution: filters must be an integer >= 1, got 0");
    expect(() => dropout({ rate: 1 })).toThrow("dropout: rate must be in [0, 1), got 1");
    expect(() => groupNormalization({ groups: 4 }).apply(tf.ones([1, 2, 2, 2, 6]))).toThrow(
      "groupNormalization: groups must be a divisor of the 6 channels, got 4",
    );
    expect(() => upSampling3d({ size: 0 })).toThrow("upSampling3d: size must be an integer >= 1, or one per axis, got 0");
  });
});

function reviveWeights(saved: tf.io.ModelArtifacts) {
  return (key: string, value: unknown) => (key === "" ? { ...(value as object), weightData: saved.weightData } : value);
}
