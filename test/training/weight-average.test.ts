import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import { gradientSum } from "../../src/training/learning/gradient-sum.js";
import { makeOptimizer } from "../../src/training/learning/make-optimizer.js";
import { weightAverage } from "../../src/training/learning/weight-average.js";

beforeAll(async () => {
  await startEngine({ threads: 1 });
});

const named = (variable: tf.Variable) => [{ name: "w", variable }];

describe("weightAverage", () => {
  it("follows the weights, fast at first and then with its decay", () => {
    const variable = tf.variable(tf.tensor1d([1, -2]));
    const average = weightAverage(0.2, named(variable));
    const mean = [1, -2];
    [
      [3, 0],
      [5, 1],
      [-1, 4],
    ].forEach((weights, k) => {
      variable.assign(tf.tensor1d(weights));
      average.update(k + 1);
      // (1 + step) / (10 + step) is 0.18 at step 1, and then above 0.2.
      const decay = k === 0 ? 2 / 11 : 0.2;
      for (const i of [0, 1]) mean[i] = decay * mean[i]! + (1 - decay) * weights[i]!;
    });
    average.swap();
    for (const i of [0, 1]) expect(variable.dataSync()[i]).toBeCloseTo(mean[i]!, 5);
    average.swap();
    expect([...variable.dataSync()]).toEqual([-1, 4]);
  });
  it("is not changed by an optimizer that writes into the weights", () => {
    const variable = tf.variable(tf.tensor1d([1, -2]));
    const average = weightAverage(0.9, named(variable));
    const optimizer = makeOptimizer({ name: "adam" }, named(variable));
    average.swap();
    average.swap();
    optimizer.apply(new Map([[variable, tf.tensor1d([1, 1])]]), 0.5);
    average.swap();
    expect([...variable.dataSync()]).toEqual([1, -2]);
    average.swap();
    expect(variable.dataSync()[0]).toBeCloseTo(0.5, 5);
  });
  it("is restored bit for bit, and refuses the state of other variables", async () => {
    const variable = tf.variable(tf.tensor1d([0.1, 0.7]));
    const first = weightAverage(0.99, named(variable));
    variable.assign(tf.tensor1d([1 / 3, Math.PI]));
    first.update(1);
    const state = await first.state();
    const second = weightAverage(0.99, named(variable));
    second.restore(state);
    expect(await second.state()).toEqual(state);
    expect(() => second.restore(new Map())).toThrow("weightAverage: the checkpoint must hold 2 values of w/ema, got none");
  });
  it("leaves no tensors behind", () => {
    const variable = tf.variable(tf.tensor1d([1, 2]));
    const before = tf.memory().numTensors;
    const average = weightAverage(0.9, named(variable));
    for (const step of [1, 2, 3]) average.update(step);
    average.swap();
    average.swap();
    average.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("gradientSum", () => {
  const [a, b] = [() => tf.tensor1d([1, 2]), () => tf.tensor1d([4, -4])];
  it("gives the mean, weighted by the sizes of the batches", () => {
    const [v, w] = [tf.variable(tf.zeros([2])), tf.variable(tf.zeros([2]))];
    const before = tf.memory().numTensors;
    const sum = gradientSum();
    sum.add(new Map([[v, a()]]), 2);
    sum.add(
      new Map([
        [v, b()],
        [w, b()],
      ]),
      1,
    );
    const mean = sum.take();
    expect([...mean.get(v)!.dataSync()].map((x) => Number(x.toFixed(6)))).toEqual([2, 0]);
    // A variable that the first batch did not reach.
    expect(mean.get(w)!.dataSync()[0]).toBeCloseTo(4 / 3, 6);
    tf.dispose([...mean.values()]);
    expect(tf.memory().numTensors).toBe(before);
  });
  it("gives the gradients of a single batch as they are, and begins anew", () => {
    const v = tf.variable(tf.zeros([2]));
    const sum = gradientSum();
    const gradient = a();
    sum.add(new Map([[v, gradient]]), 3);
    expect(sum.take().get(v)).toBe(gradient);
    sum.add(new Map([[v, b()]]), 7);
    expect([...sum.take().get(v)!.dataSync()]).toEqual([4, -4]);
  });
});
