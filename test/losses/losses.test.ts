import "@tensorflow/tfjs-backend-cpu";
// Registers the gradients of all operations, which the core package leaves out.
import "@tensorflow/tfjs-layers";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import { combinedLoss, crossEntropyLoss, diceLoss, type Loss, softDice, tverskyLoss } from "../../src/losses/index.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

// Values of MIScnn's documented formulas (NumPy), for labels [[0,1],[1,1]] and p(class 1) = [[.2,.7],[.9,.4]]. Softmax of log p is p.
const P1 = [0.2, 0.7, 0.9, 0.4];
const golden = () => ({
  logits: tf.tensor4d(
    P1.flatMap((p) => [Math.log(1 - p), Math.log(p)]),
    [1, 2, 2, 2],
  ),
  target: tf.tensor4d([0, 1, 1, 1], [1, 2, 2, 1], "int32"),
});
const value = (loss: Loss): number => {
  const { logits, target } = golden();
  return loss(logits, target).dataSync()[0]!;
};

describe("losses equal the reference formulas", () => {
  it("Dice over all elements is 0.70000037", () => expect(1 - value(diceLoss({ over: "all" }))).toBeCloseTo(0.70000037, 6));
  it("Dice per class averages to 0.67033066", () => expect(1 - value(diceLoss())).toBeCloseTo(0.67033066, 6));
  it("Tversky is 0.65934026", () => expect(value(tverskyLoss())).toBeCloseTo(0.65934026, 6));
  it("cross-entropy is 0.40036744", () => expect(value(crossEntropyLoss())).toBeCloseTo(0.40036744, 6));
  it("Dice plus cross-entropy is 0.73003678", () =>
    expect(value(combinedLoss({ losses: [diceLoss(), crossEntropyLoss()] }))).toBeCloseTo(0.73003678, 6));
  it("Tversky plus cross-entropy is 1.0597077", () =>
    expect(value(combinedLoss({ losses: [tverskyLoss(), crossEntropyLoss()] }))).toBeCloseTo(1.0597077, 6));
  it("soft Dice is 0.5714301 and 0.76923121 per class", () => {
    const { logits, target } = golden();
    const [a, b] = softDice()(logits, target).dataSync();
    expect(a).toBeCloseTo(0.5714301, 6);
    expect(b).toBeCloseTo(0.76923121, 6);
  });
  it("weights multiply each loss of a combination", () => {
    expect(value(combinedLoss({ losses: [tverskyLoss(), crossEntropyLoss()], weights: [2, 0.5] }))).toBeCloseTo(2 * 0.65934026 + 0.5 * 0.40036744, 5);
  });
  it("leaving out the background keeps only the foreground term", () =>
    expect(value(tverskyLoss({ background: false }))).toBeCloseTo(1 - 0.76923086, 6));
  it("a class weight scales its voxels' share of the cross-entropy", () => {
    // Three of four voxels are class 1: -(ln .7 + ln .9 + ln .4) / 4.
    expect(value(crossEntropyLoss({ weights: [0, 1] }))).toBeCloseTo(-(Math.log(0.7) + Math.log(0.9) + Math.log(0.4)) / 4, 6);
  });
});

const CASES: [string, Loss][] = [
  ["Tversky", tverskyLoss({ alpha: 0.7, beta: 0.3 })],
  ["Tversky without background", tverskyLoss({ background: false })],
  ["Dice per class", diceLoss()],
  ["Dice over all", diceLoss({ over: "all" })],
  ["cross-entropy", crossEntropyLoss({ weights: [0.5, 1, 2] })],
  ["Tversky plus cross-entropy", combinedLoss({ losses: [tverskyLoss(), crossEntropyLoss()] })],
];

describe.each(CASES)("%s", (_, loss) => {
  const random = new Random(7, "loss");
  const shape = [2, 2, 3, 2, 3];
  const values = Array.from({ length: 72 }, () => random.normal());
  // Every class is present in both samples.
  const labels = random.shuffle([0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2]).concat(random.shuffle([0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2]));
  const target = () => tf.tensor(labels, [2, 2, 3, 2, 1], "int32");

  it("has the gradient of finite differences", () => {
    const gradient = tf
      .grad((x: tf.Tensor) => loss(x, target()))(tf.tensor(values, shape))
      .dataSync();
    const at = (index: number, delta: number): number => {
      const moved = [...values];
      moved[index]! += delta;
      return loss(tf.tensor(moved, shape), target()).dataSync()[0]!;
    };
    for (const index of [0, 5, 17, 33, 50, 71]) {
      const h = 0.02;
      expect(Math.abs(gradient[index]! - (at(index, h) - at(index, -h)) / (2 * h))).toBeLessThan(2e-4);
    }
  });

  it("takes one-hot targets to the same value as label indices", () => {
    const oneHot = tf.tensor(
      labels.flatMap((label) => [0, 1, 2].map((c) => Number(c === label))),
      shape,
    );
    expect(loss(tf.tensor(values, shape), oneHot).dataSync()[0]).toBeCloseTo(loss(tf.tensor(values, shape), target()).dataSync()[0]!, 6);
  });

  it("is smaller for the right answer than for the wrong one", () => {
    const confident = (shift: number) =>
      tf.tensor(
        labels.flatMap((label) => [0, 1, 2].map((c) => (c === (label + shift) % 3 ? 8 : -8))),
        shape,
      );
    const right = loss(confident(0), target()).dataSync()[0]!;
    expect(right).toBeLessThan(0.01);
    expect(loss(confident(1), target()).dataSync()[0]!).toBeGreaterThan(0.5);
  });

  it("leaves no tensors behind", () => {
    const logits = tf.tensor(values, shape);
    const labelsTensor = target();
    const before = tf.memory().numTensors;
    loss(logits, labelsTensor).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("wrong use", () => {
  it("names both shapes when target and logits differ", () => {
    expect(() => tverskyLoss()(tf.zeros([1, 2, 2, 3]), tf.zeros([1, 2, 3, 1], "int32"))).toThrow(
      "loss: the target must have the shape of the logits 1x2x2x3, or 1 channel of labels, got 1x2x3x1",
    );
  });
  it("refuses options outside their rule", () => {
    expect(() => tverskyLoss({ alpha: 0, beta: 0 })).toThrow("tverskyLoss: beta must be >= 0, and > 0 when alpha is 0, got 0");
    expect(() => tverskyLoss({ alpha: -1 })).toThrow("tverskyLoss: alpha must be >= 0, got -1");
    expect(() => diceLoss({ smooth: 0 })).toThrow("diceLoss: smooth must be > 0, got 0");
    expect(() => crossEntropyLoss({ weights: [-1] })).toThrow("crossEntropyLoss: weights must be numbers >= 0, got [-1]");
    expect(() => combinedLoss({ losses: [] })).toThrow("combinedLoss: losses must be one loss or more, got 0");
    expect(() => combinedLoss({ losses: [diceLoss()], weights: [1, 2] })).toThrow("combinedLoss: weights must be 1 numbers, got [1,2]");
    expect(() => crossEntropyLoss({ weights: [1] })(tf.zeros([1, 2, 2, 3]), tf.zeros([1, 2, 2, 1], "int32"))).toThrow(
      "crossEntropyLoss: weights must have one number for each of the 3 classes, got 1",
    );
  });
});
