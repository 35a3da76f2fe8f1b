import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { expect } from "vitest";
import { Random } from "../../src/core/random.js";

/** Gives every weight, moving statistics too, values of its own, as if the network had learned. */
export function learn(model: tfl.LayersModel, seed: number): tfl.LayersModel {
  const random = new Random(seed, "learned");
  const isPositive = (name: string): boolean => /variance|gamma/.test(name);
  for (const layer of model.layers) {
    if (layer.weights.length === 0) continue;
    layer.setWeights(
      layer.weights.map((weight) => {
        const size = weight.shape.reduce<number>((n, extent) => n * extent!, 1);
        const width = weight.shape.slice(0, -1).reduce<number>((n, extent) => n * extent!, 1);
        const spread = weight.shape.length > 1 ? 1.5 / Math.sqrt(width) : 0.3;
        const values = Float32Array.from({ length: size }, () =>
          isPositive(weight.originalName) ? 0.5 + random.uniform(0, 1) : spread * random.normal(),
        );
        return tf.tensor(values, weight.shape as number[]);
      }),
    );
  }
  return model;
}

export const noise = (shape: readonly number[], seed = 1): tf.Tensor => {
  const random = new Random(seed, "noise");
  const values = Float32Array.from({ length: shape.reduce((n, extent) => n * extent, 1) }, () => random.normal());
  return tf.tensor(values, [...shape]);
};

export const logitsOf = (model: tfl.LayersModel, image: tf.Tensor): tf.Tensor => {
  const output = model.predict(image) as tf.Tensor | tf.Tensor[];
  return Array.isArray(output) ? output[0]! : output;
};

/** The largest difference, as a share of the largest value. */
export function difference(a: tf.Tensor, b: tf.Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return tf.tidy(() => tf.div(tf.max(tf.abs(tf.sub(a, b))), tf.max(tf.abs(a))).dataSync()[0]!);
}
