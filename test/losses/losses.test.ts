import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import { startEngine } from "../../src/engine/index.js";
import { native } from "../../src/kernels/native.js";
import {
  boundaryCrossEntropyLoss,
  boundaryLoss,
  combinedLoss,
  comboLoss,
  crossEntropyLoss,
  deepSupervision,
  diceLoss,
  focalLoss,
  focalTverskyLoss,
  hausdorffLoss,
  jaccardLoss,
  type Loss,
  softDice,
  tverskyLoss,
  unifiedFocalLoss,
} from "../../src/losses/index.js";

// Values of MIScnn's documented formulas (NumPy; sections 7 and 12 of the reference page), for labels [[0,1],[1,1]] and p(class 1) = [[.2,.7],[.9,.4]]. Softmax of log p is p.
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

const given = (ignore: number | undefined): { ignore?: number } => (ignore === undefined ? {} : { ignore });

describe.each(["cpu", "native"] as const)("on engine %s", (engine) => {
  if (engine === "native" && !native()) {
    it.skip("the addon was not built", () => {});
    return;
  }
  beforeAll(async () => {
    await startEngine({ engine });
  });

  describe("losses equal the reference formulas", () => {
    it("Dice over all elements is 0.70000037", () => expect(1 - value(diceLoss({ over: "all" }))).toBeCloseTo(0.70000037, 6));
    it("Dice per class averages to 0.67033066", () => expect(1 - value(diceLoss())).toBeCloseTo(0.67033066, 6));
    it("Tversky is 0.65934026", () => expect(value(tverskyLoss())).toBeCloseTo(0.65934026, 6));
    it("Tversky's index is 0.57142888 and 0.76923086 per class", () => {
      expect(1 - value(tverskyLoss({ weights: [1, 0] }))).toBeCloseTo(0.57142888, 6);
      expect(1 - value(tverskyLoss({ weights: [0, 1] }))).toBeCloseTo(0.76923086, 6);
    });
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
    it("weighted Dice with weights 1 and 4 is made of 0.5714301 and 3.07692485", () =>
      expect(1 - value(diceLoss({ weights: [1, 4] }))).toBeCloseTo((0.5714301 + 3.07692485) / 5, 6));
    it("weighted Dice of one class is that class's", () => {
      expect(1 - value(diceLoss({ weights: [1, 0] }))).toBeCloseTo(0.5714301, 6);
      expect(4 * (1 - value(diceLoss({ weights: [0, 4] })))).toBeCloseTo(3.07692485, 5);
    });
    it("focal with α 0.25 is 0.02324655", () => expect(value(focalLoss({ weights: [0.25, 0.25] }))).toBeCloseTo(0.02324655, 7));
    // The next three by the documented formulas in NumPy 2.4.6, in double precision.
    it("focal Tversky is 0.41993896", () => expect(value(focalTverskyLoss())).toBeCloseTo(0.419938959, 5));
    it("symmetric focal with δ 0.7 and γ 2 is 0.06419776, asymmetric 0.24187651", () => {
      expect(value(unifiedFocalLoss({ form: "symmetric", weight: 0, delta: 0.7, gamma: 2 }))).toBeCloseTo(0.064197758, 6);
      expect(value(unifiedFocalLoss({ form: "asymmetric", weight: 0, delta: 0.7, gamma: 2 }))).toBeCloseTo(0.241876514, 6);
    });
    it("asymmetric focal Tversky with δ 0.7 and γ 0.75 is 0.53961741", () =>
      expect(value(unifiedFocalLoss({ form: "asymmetric", weight: 1, delta: 0.7, gamma: 0.75 }))).toBeCloseTo(0.539617407, 5));
    it("focal Tversky is the mean of (1 - T)^γ", () => {
      // Sums over the voxels: class 0 has tp .8, fn .2, fp 1; class 1 has tp 2, fn 1, fp .2.
      const index = [0.8 / (0.8 + 0.7 * 0.2 + 0.3 * 1), 2 / (2 + 0.7 * 1 + 0.3 * 0.2)];
      expect(value(focalTverskyLoss())).toBeCloseTo(((1 - index[0]!) ** 0.75 + (1 - index[1]!) ** 0.75) / 2, 5);
      expect(value(focalTverskyLoss({ background: false, gamma: 2 }))).toBeCloseTo((1 - index[1]!) ** 2, 5);
    });
    it("Jaccard is intersection over union", () => {
      // Class 0: .8 / (1 + 1.8 - .8); class 1: 2 / (3 + 2.2 - 2).
      expect(value(jaccardLoss())).toBeCloseTo(1 - (0.8 / 2 + 2 / 3.2) / 2, 5);
      expect(value(jaccardLoss({ weights: [3, 1] }))).toBeCloseTo(1 - (3 * (0.8 / 2) + 2 / 3.2) / 4, 5);
    });
    it("symmetric focal Tversky with δ 0.7 and γ 0.75 is 0.7481007", () =>
      expect(value(unifiedFocalLoss({ form: "symmetric", weight: 1, delta: 0.7, gamma: 0.75 }))).toBeCloseTo(0.7481007, 5));
    it("symmetric unified focal is 0.35821294", () => expect(value(unifiedFocalLoss({ form: "symmetric" }))).toBeCloseTo(0.35821294, 5));
    it("asymmetric unified focal leaves out the background's exponent and the foreground's factor", () => {
      const index = [0.8 / (0.8 + 0.6 * 0.2 + 0.4 * 1), 2 / (2 + 0.6 * 1 + 0.4 * 0.2)];
      const tversky = (1 - index[0]! + (1 - index[1]!) ** 0.5) / 2;
      const entropy = -(0.4 * 0.2 ** 0.5 * Math.log(0.8) + 0.6 * (Math.log(0.7) + Math.log(0.9) + Math.log(0.4))) / 4;
      expect(value(unifiedFocalLoss({ form: "asymmetric" }))).toBeCloseTo((tversky + entropy) / 2, 5);
      expect(value(unifiedFocalLoss({ form: "asymmetric", weight: 0 }))).toBeCloseTo(entropy, 5);
      expect(value(unifiedFocalLoss({ form: "asymmetric", weight: 1 }))).toBeCloseTo(tversky, 5);
    });
    it("combo as it was meant is -0.24990833", () => expect(value(comboLoss())).toBeCloseTo(-0.24990833, 6));
    it("combo's β weighs the foreground", () => {
      const entropy = -(0.1 * Math.log(0.8) + 0.9 * (Math.log(0.7) + Math.log(0.9) + Math.log(0.4))) / 4;
      expect(value(comboLoss({ alpha: 1, beta: 0.9 }))).toBeCloseTo(entropy, 6);
    });
    it("without focus, focal is cross-entropy and focal Tversky is Dice", () => {
      expect(value(focalLoss({ gamma: 0 }))).toBeCloseTo(0.40036744, 6);
      expect(value(focalTverskyLoss({ delta: 0.5, gamma: 1 }))).toBeCloseTo(0.65934026 / 2, 5);
      expect(value(unifiedFocalLoss({ delta: 0.5, gamma: 0 }))).toBeCloseTo((0.65934026 / 2 + 0.40036744 / 2) / 2, 5);
    });
    it("weights multiply each loss of a combination", () => {
      expect(value(combinedLoss({ losses: [tverskyLoss(), crossEntropyLoss()], weights: [2, 0.5] }))).toBeCloseTo(
        2 * 0.65934026 + 0.5 * 0.40036744,
        5,
      );
    });
    it("leaving out the background keeps only the foreground term", () =>
      expect(value(tverskyLoss({ background: false }))).toBeCloseTo(1 - 0.76923086, 6));
    it("leaving out the background is a weight of 0 for it", () => {
      for (const make of [crossEntropyLoss, focalLoss, boundaryCrossEntropyLoss]) {
        expect(value(make({ background: false }))).toBeCloseTo(value(make({ weights: [0, 1] })), 6);
      }
      expect(crossEntropyLoss({ background: false }).options).toEqual({ background: false });
    });
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
    ["Dice with weights", diceLoss({ weights: [0.5, 1, 3] })],
    ["Jaccard", jaccardLoss()],
    ["focal", focalLoss({ weights: [0.5, 1, 2] })],
    ["focal with γ below 1", focalLoss({ gamma: 0.5 })],
    ["focal Tversky", focalTverskyLoss()],
    ["symmetric unified focal", unifiedFocalLoss({ form: "symmetric" })],
    ["asymmetric unified focal", unifiedFocalLoss({ form: "asymmetric", weights: [1, 2, 1] })],
    ["symmetric focal Tversky", unifiedFocalLoss({ form: "symmetric", weight: 1, delta: 0.7, gamma: 0.75, background: false })],
    ["asymmetric focal cross-entropy", unifiedFocalLoss({ weight: 0, delta: 0.7, gamma: 2 })],
    ["combo", comboLoss({ beta: 0.7 })],
    ["boundary", boundaryLoss({ spacing: [2, 1, 1] })],
    ["Hausdorff", hausdorffLoss({ spacing: [2, 1, 1], weights: [1, 2, 1] })],
    ["boundary-weighted cross-entropy", boundaryCrossEntropyLoss({ boost: 3, sigma: 1, weights: [0.5, 1, 2] })],
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

    it("is finite, with a finite gradient, for a perfect prediction, the worst one and classes that are not there", () => {
      const certain = (shift: number) => labels.flatMap((label) => [0, 1, 2].map((c) => (c === (label + shift) % 3 ? 40 : -40)));
      const absent = tf.zeros([2, 2, 3, 2, 1], "int32");
      const nothing = Array.from({ length: 24 }, () => [40, -40, -40]).flat();
      for (const [logits, labelMap] of [
        [certain(0), target()],
        [certain(1), target()],
        [nothing, absent],
        [certain(0), absent],
      ] as const) {
        const { value: figure, grad } = tf.valueAndGrad((x: tf.Tensor) => loss(x, labelMap))(tf.tensor([...logits], shape));
        expect(Number.isFinite(figure.dataSync()[0]!)).toBe(true);
        expect(grad.dataSync().every(Number.isFinite)).toBe(true);
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
      // Combo's best is -(1 - α), the boundary loss has no bound; the fourth root of what float32 resolves near 1 is 0.02.
      const best = loss.name === "comboLoss" ? -0.5 : loss.name === "boundaryLoss" ? right : 0;
      expect(right - best).toBeLessThan(0.03);
      expect(loss(confident(1), target()).dataSync()[0]! - best).toBeGreaterThan(0.5);
    });

    it("leaves no tensors behind", () => {
      const logits = tf.tensor(values, shape);
      const labelsTensor = target();
      const before = tf.memory().numTensors;
      loss(logits, labelsTensor).dispose();
      expect(tf.memory().numTensors).toBe(before);
    });
  });

  describe("a class that is not there", () => {
    const absent = () => tf.zeros([1, 4, 4, 1], "int32");
    const logits = (scores: readonly number[]) => tf.tensor(Array.from({ length: 16 }, () => scores).flat(), [1, 4, 4, 3]);
    it.each([
      ["Dice", diceLoss()],
      ["Jaccard", jaccardLoss()],
      ["Tversky", tverskyLoss()],
      ["focal Tversky", focalTverskyLoss()],
      ["unified focal", unifiedFocalLoss()],
      ["cross-entropy", crossEntropyLoss()],
      ["boundary-weighted cross-entropy", boundaryCrossEntropyLoss()],
      ["focal", focalLoss()],
    ] as const)("costs nothing with %s when it is not predicted, and much when it is", (_, loss) => {
      expect(loss(logits([40, -40, -40]), absent()).dataSync()[0]!).toBeLessThan(1e-3);
      expect(loss(logits([-40, -40, 40]), absent()).dataSync()[0]!).toBeGreaterThan(0.3);
    });
  });

  describe("an ignored label", () => {
    const random = new Random(3, "ignore");
    const scores = Array.from({ length: 48 }, () => random.normal());
    const labels = Array.from({ length: 16 }, (_, i) => (i % 4 === 3 ? 255 : i % 3));
    const kept = labels.flatMap((label, i) => (label === 255 ? [] : [i]));
    const whole = () => [tf.tensor(scores, [1, 1, 16, 3]), tf.tensor(labels, [1, 1, 16, 1], "int32")] as const;
    const rest = () =>
      [
        tf.tensor(
          kept.flatMap((i) => scores.slice(3 * i, 3 * i + 3)),
          [1, 1, 12, 3],
        ),
        tf.tensor(
          kept.map((i) => labels[i]!),
          [1, 1, 12, 1],
          "int32",
        ),
      ] as const;
    it.each([
      ["Dice", (ignore?: number) => diceLoss(given(ignore))],
      ["Dice over all", (ignore?: number) => diceLoss({ over: "all", ...given(ignore) })],
      ["Jaccard", (ignore?: number) => jaccardLoss(given(ignore))],
      ["Tversky", (ignore?: number) => tverskyLoss(given(ignore))],
      ["cross-entropy", (ignore?: number) => crossEntropyLoss({ weights: [1, 2, 3], ...given(ignore) })],
      ["focal", (ignore?: number) => focalLoss(given(ignore))],
      ["focal Tversky", (ignore?: number) => focalTverskyLoss(given(ignore))],
      ["unified focal", (ignore?: number) => unifiedFocalLoss(given(ignore))],
      ["combo", (ignore?: number) => comboLoss(given(ignore))],
      ["boundary-weighted cross-entropy", (ignore?: number) => boundaryCrossEntropyLoss({ boost: 0, ...given(ignore) })],
      ["combined", (ignore?: number) => combinedLoss({ losses: [diceLoss(given(ignore)), crossEntropyLoss(given(ignore))] })],
    ] as const)("is as if its voxels were not there, with %s", (_, make) => {
      expect(make(255)(...whole()).dataSync()[0]).toBeCloseTo(make()(...rest()).dataSync()[0]!, 5);
      const [logits, target] = whole();
      const gradient = tf
        .grad((x: tf.Tensor) => make(255)(x, target))(logits)
        .dataSync();
      for (let i = 0; i < 16; i++) {
        const slope = Math.max(...gradient.slice(3 * i, 3 * i + 3).map(Math.abs));
        if (labels[i] === 255) expect(slope).toBe(0);
        else expect(slope).toBeGreaterThan(0);
      }
    });
    it("may be a class too", () => {
      const target = tf.tensor([0, 1, 2, 2], [1, 2, 2, 1], "int32");
      const logits = tf.tensor(scores.slice(0, 12), [1, 2, 2, 3]);
      const [a, b] = [0, 1].map((k) => scores[3 * k + k]! - Math.log(scores.slice(3 * k, 3 * k + 3).reduce((sum, x) => sum + Math.exp(x), 0)));
      expect(crossEntropyLoss({ ignore: 2 })(logits, target).dataSync()[0]).toBeCloseTo(-(a! + b!) / 2, 5);
    });
    it("that is everywhere costs nothing", () => {
      const target = tf.fill([1, 1, 16, 1], 255, "int32");
      for (const loss of [crossEntropyLoss({ ignore: 255 }), focalLoss({ ignore: 255 })]) {
        const { value: figure, grad } = tf.valueAndGrad((x: tf.Tensor) => loss(x, target))(whole()[0]);
        expect(figure.dataSync()[0]).toBe(0);
        expect(grad.dataSync().every((slope) => slope === 0)).toBe(true);
      }
    });
    it("counts neither in soft Dice", () => {
      const [a, b] = [softDice({ ignore: 255 })(...whole()).dataSync(), softDice()(...rest()).dataSync()];
      for (const c of [0, 1, 2]) expect(a[c]).toBeCloseTo(b[c]!, 5);
    });
    it("is refused in one-hot targets and between losses that differ", () => {
      expect(() => diceLoss({ ignore: 255 })(tf.zeros([1, 2, 2, 3]), tf.zeros([1, 2, 2, 3]))).toThrow(
        "loss: a label can be ignored only in targets of label indices, got one-hot of 1x2x2x3",
      );
      expect(() => combinedLoss({ losses: [diceLoss({ ignore: 255 }), crossEntropyLoss()] })).toThrow(
        "combinedLoss: losses must be losses that ignore the same label",
      );
    });
  });

  describe("deep supervision", () => {
    const target = () => tf.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0], [1, 4, 4, 1], "int32");
    const random = new Random(9, "deep");
    const logits = (size: number) =>
      tf.tensor(
        Array.from({ length: size * size * 3 }, () => random.normal()),
        [1, size, size, 3],
      );
    it("adds the losses of all levels, each half as heavy as the finer one", () => {
      const levels = [logits(4), logits(2), logits(1)];
      // Every second voxel of every second row; the one before the center of four.
      const targets = [target(), tf.tensor([0, 2, 2, 1], [1, 2, 2, 1], "int32"), tf.tensor([2], [1, 1, 1, 1], "int32")];
      const loss = crossEntropyLoss();
      const parts = levels.map((level, k) => loss(level, targets[k]!).dataSync()[0]!);
      expect(deepSupervision(loss).deep!(levels, target()).dataSync()[0]).toBeCloseTo((4 * parts[0]! + 2 * parts[1]! + parts[2]!) / 7, 5);
      expect(deepSupervision(loss, { weights: [0, 0, 2] }).deep!(levels, target()).dataSync()[0]).toBeCloseTo(2 * parts[2]!, 5);
    });
    it("has the gradient of finite differences at every level", () => {
      const loss = deepSupervision(combinedLoss({ losses: [diceLoss(), crossEntropyLoss()] }));
      const values = [4, 2].map((size) => Array.from({ length: size * size * 3 }, () => random.normal()));
      const at = (levels: readonly (readonly number[])[]): tf.Tensor[] => levels.map((level, k) => tf.tensor([...level], [1, 4 >> k, 4 >> k, 3]));
      const gradients = tf
        .grads((...levels: tf.Tensor[]) => loss.deep!(levels, target()))(at(values))
        .map((gradient) => gradient.dataSync());
      for (const [level, index] of [
        [0, 3],
        [0, 40],
        [1, 0],
        [1, 11],
      ] as const) {
        const moved = (delta: number): number => {
          const levels = values.map((own, k) => own.map((value, i) => (k === level && i === index ? value + delta : value)));
          return loss.deep!(at(levels), target()).dataSync()[0]!;
        };
        expect(Math.abs(gradients[level]![index]! - (moved(0.02) - moved(-0.02)) / 0.04)).toBeLessThan(2e-4);
      }
    });
    it("is the loss itself on one level, and keeps what it ignores", () => {
      const level = logits(4);
      expect(deepSupervision(diceLoss())(level, target()).dataSync()[0]).toBe(diceLoss()(level, target()).dataSync()[0]);
      expect(deepSupervision(diceLoss({ ignore: 9 })).options).toMatchObject({ ignore: 9, loss: { name: "diceLoss" } });
    });
    it("refuses levels that do not fit", () => {
      expect(() => deepSupervision(diceLoss()).deep!([logits(4), logits(3)], target())).toThrow(
        "deepSupervision: the extent of each level must divide the target's 1x4x4x1, got 1x3x3x3",
      );
      expect(() => deepSupervision(diceLoss(), { weights: [1] }).deep!([logits(4), logits(2)], target())).toThrow(
        "deepSupervision: weights must have one number for each of the network's 2 levels, got 1",
      );
      expect(() => deepSupervision(diceLoss(), { weights: [-1] })).toThrow("deepSupervision: weights must be numbers >= 0, got [-1]");
    });
  });

  describe("a number of classes that does not fit", () => {
    it.each([
      ["diceLoss", diceLoss({ weights: [1, 2] })],
      ["jaccardLoss", jaccardLoss({ weights: [1, 2] })],
      ["tverskyLoss", tverskyLoss({ weights: [1, 2] })],
      ["crossEntropyLoss", crossEntropyLoss({ weights: [1, 2] })],
      ["focalLoss", focalLoss({ weights: [1, 2] })],
      ["focalTverskyLoss", focalTverskyLoss({ weights: [1, 2] })],
      ["unifiedFocalLoss", unifiedFocalLoss({ weights: [1, 2] })],
      ["comboLoss", comboLoss({ weights: [1, 2] })],
      ["boundaryLoss", boundaryLoss({ weights: [1, 2] })],
      ["hausdorffLoss", hausdorffLoss({ weights: [1, 2] })],
      ["boundaryCrossEntropyLoss", boundaryCrossEntropyLoss({ weights: [1, 2] })],
    ] as const)("is refused by %s before there is any data, also inside other losses", (name, loss) => {
      const message = `${name}: weights must have one number for each of the 3 classes, got 2`;
      expect(() => loss.requireClasses!(3)).toThrow(message);
      expect(() => loss.requireClasses!(2)).not.toThrow();
      expect(() => combinedLoss({ losses: [diceLoss(), loss] }).requireClasses!(3)).toThrow(message);
      expect(() => deepSupervision(loss).requireClasses!(3)).toThrow(message);
    });
  });

  describe("wrong use", () => {
    it("names the option that was probably meant", () => {
      expect(() => tverskyLoss({ aplha: 0.7 } as never)).toThrow("tverskyLoss: options must be of alpha, beta");
      for (const make of [diceLoss, jaccardLoss, tverskyLoss, crossEntropyLoss, focalLoss, focalTverskyLoss, unifiedFocalLoss, comboLoss]) {
        expect(() => make({ wieghts: [1] } as never)).toThrow("got wieghts; did you mean weights?");
      }
      for (const make of [boundaryLoss, hausdorffLoss, boundaryCrossEntropyLoss]) {
        expect(() => make({ spacin: [1, 1, 1] } as never)).toThrow("got spacin; did you mean spacing?");
      }
      expect(() => softDice({ smoth: 1 } as never)).toThrow("softDice: options must be of smooth, ignore, got smoth; did you mean smooth?");
      expect(() => combinedLoss({ losses: [diceLoss()], weihgts: [1] } as never)).toThrow("got weihgts; did you mean weights?");
      expect(() => deepSupervision(diceLoss(), { weigths: [1] } as never)).toThrow("got weigths; did you mean weights?");
    });
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
      expect(() => diceLoss({ weights: [1, 2], over: "all" })).toThrow('diceLoss: weights must be absent with over "all", got [1,2]');
      expect(() => diceLoss({ ignore: -1 })).toThrow("diceLoss: ignore must be a label, an integer >= 0, got -1");
      expect(() => diceLoss({ weights: [1, 0], background: false })(tf.zeros([1, 2, 2, 2]), tf.zeros([1, 2, 2, 1], "int32"))).toThrow(
        "diceLoss: weights must be > 0 for at least one class that counts, got [1,0]",
      );
      expect(() => jaccardLoss({ smooth: 0 })).toThrow("jaccardLoss: smooth must be > 0, got 0");
      expect(() => focalLoss({ gamma: -1 })).toThrow("focalLoss: gamma must be >= 0, got -1");
      expect(() => focalTverskyLoss({ delta: 2 })).toThrow("focalTverskyLoss: delta must be in [0, 1], got 2");
      expect(() => focalTverskyLoss({ gamma: 0 })).toThrow("focalTverskyLoss: gamma must be > 0, got 0");
      expect(() => unifiedFocalLoss({ gamma: 1 })).toThrow("unifiedFocalLoss: gamma must be < 1 with a Tversky part, got 1");
      expect(() => unifiedFocalLoss({ form: "both" as never })).toThrow('unifiedFocalLoss: form must be "symmetric" or "asymmetric", got "both"');
      expect(() => comboLoss({ alpha: 1.1 })).toThrow("comboLoss: alpha must be in [0, 1], got 1.1");
      expect(() => combinedLoss({ losses: [] })).toThrow("combinedLoss: losses must be one loss or more, got 0");
      expect(() => combinedLoss({ losses: [diceLoss()], weights: [1, 2] })).toThrow("combinedLoss: weights must be 1 numbers, got [1,2]");
      expect(() => crossEntropyLoss({ weights: [1] })(tf.zeros([1, 2, 2, 3]), tf.zeros([1, 2, 2, 1], "int32"))).toThrow(
        "crossEntropyLoss: weights must have one number for each of the 3 classes, got 1",
      );
    });
  });
});
