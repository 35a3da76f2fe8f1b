import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";

const values = (tensor: tf.Tensor) => [...tensor.dataSync()].map((value) => Number(value.toFixed(4)));

describe("the gradient tape", () => {
  beforeAll(async () => {
    await startEngine({ engine: "auto" });
  });

  it("adds up what reaches a tensor on several ways", () => {
    const [dx] = tf.grads((x) => tf.sum(tf.add(tf.mul(x, x), tf.mul(tf.add(x, x), 3))))([tf.tensor1d([1, 2])]);
    expect(values(dx!)).toEqual([8, 10]);
  });

  it("gives gradients of gradients", () => {
    const second = tf.grad((x: tf.Tensor) => tf.sum(tf.grad((y: tf.Tensor) => tf.sum(tf.mul(y, tf.mul(y, y))))(x)));
    expect(values(second(tf.tensor1d([1, 2])))).toEqual([6, 12]);
  });

  it("keeps gradients that a function passes on as they are", () => {
    // One tensor for both inputs, then the saved tensor itself.
    const same = tf.customGrad((a, b) => ({ value: tf.add(a as tf.Tensor, b as tf.Tensor), gradFunc: (dy: tf.Tensor) => [dy, dy] }));
    const kept = tf.customGrad((a, save) => {
      (save as tf.GradSaveFunc)([a as tf.Tensor]);
      return { value: tf.square(a as tf.Tensor), gradFunc: (_: tf.Tensor, saved: tf.Tensor[]) => [saved[0]!] };
    });
    const [da, db] = tf.grads((a, b) => tf.sum(kept(same(tf.mul(a, 2), tf.mul(b, 3)))))([tf.tensor1d([1, 2]), tf.tensor1d([1, 1])]);
    // The gradient of `kept` is its input, 2a + 3b.
    expect(values(da!)).toEqual([10, 14]);
    expect(values(db!)).toEqual([15, 21]);
  });

  it("starts from a given dy", () => {
    const x = tf.tensor1d([1, 2]);
    const { value, grads } = tf.valueAndGrads((a) => tf.mul(a, 4))([x], tf.tensor1d([1, 10]));
    expect(values(value)).toEqual([4, 8]);
    expect(values(grads[0]!)).toEqual([4, 40]);
  });

  it("leaves only value and gradients behind, also when something throws", () => {
    const x = tf.tensor1d([1, 2, 3]);
    const before = tf.memory().numTensors;
    const { value, grads } = tf.valueAndGrads((a) => tf.sum(tf.relu(tf.mul(tf.exp(a), tf.square(a)))))([x]);
    expect(tf.memory().numTensors - before).toBe(2);
    tf.dispose([value, ...grads]);
    const broken = tf.customGrad((a) => ({
      value: tf.square(a as tf.Tensor),
      gradFunc: () => {
        throw new Error("broken");
      },
    }));
    expect(() => tf.grad((a: tf.Tensor) => tf.sum(broken(tf.exp(a))))(x)).toThrow("broken");
    expect(() => tf.grad(() => tf.scalar(1))(x)).toThrow("Cannot compute gradient of y=f(x)");
    expect(tf.memory().numTensors - before).toBeLessThanOrEqual(1);
    // And the next gradient works as if nothing had happened.
    expect(values(tf.grad((a: tf.Tensor) => tf.sum(tf.square(a)))(x))).toEqual([2, 4, 6]);
  });
});
