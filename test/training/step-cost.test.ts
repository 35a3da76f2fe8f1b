import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import { tverskyLoss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { load, patch } from "../../src/operators/index.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import { stepCost } from "../../src/training/learning/step-cost.js";
import { tinyData } from "./tiny-case.js";

beforeAll(() => startEngine({ engine: "auto" }));

const config = (filters: number): TrainingConfig => ({
  data: tinyData(1),
  graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 16, 16] })) as never,
  model: unet({ filters, depth: 1 }),
  loss: tverskyLoss(),
  training: { epochs: 1 },
});

it("counts parameters and the tensors at the peak of a step, the same each time, and leaves none behind", async () => {
  const tensors = tf.memory().numTensors;
  const small = await stepCost(config(2), { patch: [1, 16, 16], batch: 1 });
  expect(await stepCost(config(2), { patch: [1, 16, 16], batch: 1 })).toEqual(small);
  expect(tf.memory().numTensors).toBe(tensors);
  // Two convolutions and two normalizations at each of two levels, up and down; worked out by hand below.
  const conv = (k: number, from: number, to: number): number => k * k * from * to + to;
  const unit = (from: number, to: number): number => conv(3, from, to) + 4 * to;
  const wanted = unit(1, 2) + unit(2, 2) + unit(2, 4) + unit(4, 4) + conv(2, 4, 2) + unit(4, 2) + unit(2, 2) + conv(1, 2, 2);
  expect(small.parameters).toBe(wanted);
  // Of each normalization, the two moving statistics are not trained.
  expect(small.trainable).toBe(wanted - 2 * (2 + 2 + 4 + 4 + 2 + 2));
  // Weights, two moments each, and at least the image.
  expect(small.peakBytes).toBeGreaterThan(4 * (wanted + 2 * small.trainable) + 4 * 256);
  const more = await stepCost(config(2), { patch: [1, 16, 16], batch: 4 });
  expect(more.parameters).toBe(wanted);
  expect(more.peakBytes).toBeGreaterThan(2 * small.peakBytes - 4 * 3 * wanted);
});
