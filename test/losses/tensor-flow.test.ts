import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import { combinedLoss, crossEntropyLoss, diceLoss, tensorFlowLoss, tensorFlowMetric } from "../../src/losses/index.js";

beforeAll(async () => {
  await startEngine({ threads: 1 });
});

const P = [0.2, 0.5, 0.3, 0.7, 0.1, 0.2, 0.1, 0.3, 0.6, 0.4, 0.4, 0.2];
const LABELS = [1, 0, 2, 2];
const logits = () => tf.tensor(P.map(Math.log), [1, 2, 2, 3]);
const target = () => tf.tensor(LABELS, [1, 2, 2, 1], "int32");
const oneHot = () =>
  tf.tensor(
    LABELS.flatMap((label) => [0, 1, 2].map((c) => Number(c === label))),
    [1, 2, 2, 3],
  );
const read = (value: tf.Tensor): number => value.dataSync()[0]!;

describe("losses of TensorFlow.js", () => {
  it("on logits", () => {
    const loss = tensorFlowLoss(tf.losses.softmaxCrossEntropy, { on: "logits" });
    expect(read(loss(logits(), target()))).toBeCloseTo(read(crossEntropyLoss()(logits(), target())), 5);
    expect(loss.name).toBe("softmaxCrossEntropy");
    expect(loss.options).toEqual({ tensorFlow: true, on: "logits" });
  });
  it("on probabilities", () => {
    const wanted = P.reduce((sum, p, i) => sum + (p - Number(i % 3 === LABELS[Math.floor(i / 3)])) ** 2, 0) / P.length;
    expect(read(tensorFlowLoss(tf.losses.meanSquaredError)(logits(), target()))).toBeCloseTo(wanted, 6);
    expect(read(tensorFlowLoss(tf.losses.meanSquaredError)(logits(), oneHot()))).toBeCloseTo(wanted, 6);
  });
  it.each(Object.entries({ ...tf.losses, computeWeightedLoss: undefined, cosineDistance: undefined }).filter(([, fn]) => fn))(
    "%s is differentiated",
    (name, fn) => {
      const loss = tensorFlowLoss(fn as never, /CrossEntropy/.test(name) ? { on: "logits" } : {});
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => loss(x, target()))(logits());
      expect(Number.isFinite(read(value))).toBe(true);
      const slopes = grad.dataSync();
      for (const index of [0, 4, 11]) {
        const at = (delta: number): number => {
          const moved = P.map(Math.log);
          moved[index]! += delta;
          return read(loss(tf.tensor(moved, [1, 2, 2, 3]), target()));
        };
        expect(Math.abs(slopes[index]! - (at(0.01) - at(-0.01)) / 0.02)).toBeLessThan(2e-4);
      }
    },
  );
  it("functions of its form, in combinations", () => {
    const cosine = tensorFlowLoss((truth, p) => tf.losses.cosineDistance(truth, p, 3), { name: "cosine" });
    const both = combinedLoss({ losses: [cosine, diceLoss()] });
    expect(read(both(logits(), target()))).toBeCloseTo(read(cosine(logits(), target())) + read(diceLoss()(logits(), target())), 5);
  });
});

describe("metrics of TensorFlow.js", () => {
  it("on probabilities and predicted labels", () => {
    // Three of the four voxels are right; of two equal probabilities the first counts.
    expect(read(tensorFlowMetric(tfl.metrics.categoricalAccuracy)(logits(), target()))).toBeCloseTo(0.75, 6);
    expect(read(tensorFlowMetric(tfl.metrics.precision, { on: "labels" })(logits(), target()))).toBeCloseTo(0.75, 6);
    expect(read(tensorFlowMetric(tfl.metrics.categoricalCrossentropy)(logits(), target()))).toBeCloseTo(
      read(crossEntropyLoss()(logits(), target())),
      5,
    );
    expect(tensorFlowMetric(tfl.metrics.recall, { on: "labels" }).name).toBe("recall");
  });
});

it("wrong use is refused", () => {
  expect(() => tensorFlowLoss(undefined as never)).toThrow(
    "tensorFlowLoss: fn must be a function (truth, prediction) => tensor, such as tf.losses.huberLoss, got undefined",
  );
  expect(() => tensorFlowLoss((a, b) => tf.sub(a, b))).toThrow("tensorFlowLoss: name must be given for a function without one");
  expect(() => tensorFlowLoss(tf.losses.huberLoss, { on: "labels" as never })).toThrow(
    'tensorFlowLoss: on must be "probabilities" or "logits", got "labels"',
  );
  expect(() => tensorFlowMetric(tfl.metrics.recall, { onn: "labels" } as never)).toThrow("did you mean on?");
  expect(() => tensorFlowLoss(tf.losses.huberLoss)(tf.zeros([1, 2, 2, 3]), tf.zeros([1, 2, 3, 1]))).toThrow("the target must have the shape");
});
