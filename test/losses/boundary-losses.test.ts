import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import type { Triple } from "../../src/core/shape.js";
import { signedDistances, startEngine } from "../../src/engine/index.js";
import { boundaryCrossEntropyLoss, boundaryLoss, combinedLoss, deepSupervision, diceLoss, hausdorffLoss } from "../../src/losses/index.js";

beforeAll(async () => {
  await startEngine({ threads: 1 });
});

// Values by SciPy 1.17.1 (distance_transform_edt) and NumPy 2.4.6 in double precision, for these labels and logits.
const FLAT = [0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0];
const flat = () =>
  [
    tf.tensor(
      Array.from({ length: 60 }, (_, i) => (((i * 7) % 11) - 5) / 4),
      [1, 4, 5, 3],
    ),
    tf.tensor(FLAT, [1, 4, 5, 1], "int32"),
  ] as const;
const full = () => {
  const labels = new Int32Array(60);
  for (const [y, x] of [1, 2].flatMap((row) => [1, 2, 3].map((column) => [row, column] as const))) labels[20 + 5 * y + x] = 1;
  labels[40] = 2;
  const scores = Array.from({ length: 180 }, (_, i) => (((i * 5) % 13) - 6) / 5);
  return [tf.tensor(scores, [1, 3, 4, 5, 3]), tf.tensor(labels, [1, 3, 4, 5, 1], "int32")] as const;
};
const read = (value: tf.Scalar): number => value.dataSync()[0]!;

describe("boundary losses equal SciPy's figures", () => {
  it("boundary loss in 2D, with and without spacing and background", () => {
    expect(read(boundaryLoss()(...flat()))).toBeCloseTo(0.1146989211482086, 6);
    expect(read(boundaryLoss({ spacing: [9, 2, 0.5] })(...flat()))).toBeCloseTo(0.1480109495823161, 6);
    expect(read(boundaryLoss({ background: true })(...flat()))).toBeCloseTo(0.012826768207608153, 6);
  });
  it("Hausdorff loss in 2D, with α 2 and 1 and with spacing", () => {
    expect(read(hausdorffLoss()(...flat()))).toBeCloseTo(0.3837160662172072, 6);
    expect(read(hausdorffLoss({ alpha: 1 })(...flat()))).toBeCloseTo(0.3622614243499367, 6);
    expect(read(hausdorffLoss({ spacing: [9, 2, 0.5] })(...flat()))).toBeCloseTo(0.3696574063471137, 6);
  });
  it("boundary-weighted cross-entropy in 2D", () => {
    expect(read(boundaryCrossEntropyLoss()(...flat()))).toBeCloseTo(14.877422843787489, 4);
    expect(read(boundaryCrossEntropyLoss({ boost: 3, sigma: 1 })(...flat()))).toBeCloseTo(3.5245303592955706, 5);
    expect(read(boundaryCrossEntropyLoss({ boost: 3, sigma: 1, spacing: [9, 2, 0.5] })(...flat()))).toBeCloseTo(3.567528562310011, 5);
  });
  it("both in 3D with the spacing of thick slices", () => {
    expect(read(boundaryLoss({ spacing: [3, 1, 1] })(...full()))).toBeCloseTo(1.1350749372301396, 5);
    expect(read(hausdorffLoss({ spacing: [3, 1, 1] })(...full()))).toBeCloseTo(2.676523379378263, 5);
  });
});

describe("signedDistances", () => {
  const brute = (labels: readonly number[], [depth, height, width]: Triple, spacing: Triple, label: number): number[] => {
    const at = (i: number): number[] => [Math.floor(i / (height * width)) % depth, Math.floor(i / width) % height, i % width];
    return labels.map((own, i) => {
      let nearest = Number.POSITIVE_INFINITY;
      labels.forEach((other, j) => {
        if ((other === label) === (own === label)) return;
        nearest = Math.min(nearest, Math.hypot(...at(i).map((v, axis) => (v - at(j)[axis]!) * spacing[axis]!)));
      });
      return own === label ? -nearest : nearest;
    });
  };
  it("equals the smallest of all distances, per sample and class", () => {
    const random = new Random(5, "distances");
    const extent: Triple = [3, 4, 5];
    const spacing: Triple = [2.5, 1, 0.7];
    const samples = [0, 1].map(() => Array.from({ length: 60 }, () => random.integer(0, 2)));
    const result = signedDistances(tf.tensor(samples.flat(), [2, 3, 4, 5, 1], "int32"), { classes: 3, spacing }).arraySync();
    for (const [b, labels] of samples.entries()) {
      for (const c of [0, 1, 2]) {
        const wanted = brute(labels, extent, spacing, c);
        for (const [v, distances] of result[b]!.entries()) expect(distances[c]).toBeCloseTo(wanted[v]!, 4);
      }
    }
  });
  it("is 0 for a class that is nowhere, or everywhere, or not wanted", () => {
    const zeros = (labels: number[], wanted?: boolean[]): number[] =>
      signedDistances(tf.tensor(labels, [1, 2, 2, 1], "int32"), { classes: 2, ...(wanted && { wanted }) })
        .arraySync()[0]!
        .map((distances) => distances[1]!);
    expect(zeros([0, 0, 0, 0])).toEqual([0, 0, 0, 0]);
    expect(zeros([1, 1, 1, 1])).toEqual([0, 0, 0, 0]);
    expect(zeros([0, 1, 0, 1], [true, false])).toEqual([0, 0, 0, 0]);
    expect(zeros([0, 1, 0, 1])).toEqual([1, -1, 1, -1]);
  });
  it("refuses a spacing that is none", () => {
    expect(() => signedDistances(tf.zeros([1, 2, 2, 1]), { classes: 2, spacing: [1, 0, 1] })).toThrow(
      "signedDistances: spacing must be three numbers > 0, got [1,0,1]",
    );
  });
});

describe("what they are for", () => {
  const row = (labels: readonly number[]) => tf.tensor([...labels], [1, 1, labels.length, 1], "int32");
  const certain = (labels: readonly number[]) =>
    tf.tensor(
      labels.flatMap((label) => [0, 1].map((c) => (c === label ? 20 : -20))),
      [1, 1, labels.length, 2],
    );
  const truth = [0, 1, 1, 0, 0, 0, 0, 0, 0, 0];
  const near = [0, 1, 1, 1, 0, 0, 0, 0, 0, 0];
  const far = [0, 1, 1, 0, 0, 0, 0, 0, 0, 1];
  it("a false voxel far away costs more than one at the border, which Dice does not see", () => {
    expect(read(diceLoss()(certain(near), row(truth)))).toBeCloseTo(read(diceLoss()(certain(far), row(truth))), 5);
    for (const loss of [boundaryLoss(), hausdorffLoss()]) {
      const figures = [truth, near, far].map((labels) => read(loss(certain(labels), row(truth))));
      expect(figures[0]).toBeLessThan(figures[1]!);
      expect(figures[1]).toBeLessThan(figures[2]!);
    }
    // Eight voxels from the object, over ten voxels: 7 of difference to the truth's figure.
    expect(read(boundaryLoss()(certain(far), row(truth))) - read(boundaryLoss()(certain(truth), row(truth)))).toBeCloseTo(7 / 10, 5);
    expect(read(hausdorffLoss()(certain(truth), row(truth)))).toBeCloseTo(0, 6);
  });
  it("boundary-weighted cross-entropy is the plain one where there is only one label, or no boost", () => {
    const logits = tf.tensor([1, 0, 0, 1, 2, 0, 0.5, 0], [1, 1, 4, 2]);
    const surprise = [
      [1, 0],
      [0, 1],
      [2, 0],
      [0.5, 0],
    ].reduce((sum, [a, b]) => sum + Math.log(Math.exp(a!) + Math.exp(b!)) - a!, 0);
    expect(read(boundaryCrossEntropyLoss()(logits, row([0, 0, 0, 0])))).toBeCloseTo(surprise / 4, 5);
    expect(read(boundaryCrossEntropyLoss({ boost: 0 })(logits, row([0, 0, 0, 0])))).toBeCloseTo(surprise / 4, 5);
  });
  it("an ignored voxel is neither inside nor outside, and costs nothing", () => {
    const labels = [1, 1, 9, 9, 0, 0];
    const distances = signedDistances(row(labels), { classes: 2, ignore: 9, wanted: [false, true] })
      .arraySync()[0]!
      .map((values) => values[1]!);
    expect([0, 1, 4, 5].map((v) => distances[v])).toEqual([-4, -3, 3, 4]);
    const logits = (value: number) =>
      tf.tensor(
        labels.flatMap((label) => (label === 9 ? [0, value] : [0, 1])),
        [1, 1, 6, 2],
      );
    for (const loss of [boundaryLoss({ ignore: 9 }), boundaryCrossEntropyLoss({ ignore: 9 })]) {
      expect(read(loss(logits(5), row(labels)))).toBeCloseTo(read(loss(logits(-5), row(labels))), 6);
    }
    // The Hausdorff loss measures from what is predicted as well; an ignored voxel is not.
    expect(read(hausdorffLoss({ ignore: 9 })(logits(5), row(labels)))).toBeCloseTo(read(hausdorffLoss({ ignore: 9 })(logits(-5), row(labels))), 6);
  });
  it("works in combinations and under deep supervision", () => {
    const loss = combinedLoss({ losses: [diceLoss(), boundaryLoss()], weights: [1, 0.01] });
    const labels = tf.tensor([0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0], [1, 4, 4, 1], "int32");
    const levels = [tf.zeros([1, 4, 4, 2]), tf.zeros([1, 2, 2, 2])];
    expect(Number.isFinite(read(deepSupervision(loss).deep!(levels, labels)))).toBe(true);
  });
});

it("options outside their rule are refused", () => {
  expect(() => boundaryLoss({ spacing: [1, 1, 0] })).toThrow("boundaryLoss: spacing must be three numbers > 0, got [1,1,0]");
  expect(() => hausdorffLoss({ alpha: 0 })).toThrow("hausdorffLoss: alpha must be > 0, got 0");
  expect(() => hausdorffLoss({ spacing: [1, 1] as never })).toThrow("hausdorffLoss: spacing must be three numbers > 0, got [1,1]");
  expect(() => boundaryCrossEntropyLoss({ boost: -1 })).toThrow("boundaryCrossEntropyLoss: boost must be >= 0, got -1");
  expect(() => boundaryCrossEntropyLoss({ sigma: 0 })).toThrow("boundaryCrossEntropyLoss: sigma must be > 0, got 0");
  expect(() => boundaryCrossEntropyLoss({ spacing: [0, 1, 1] })).toThrow("boundaryCrossEntropyLoss: spacing must be three numbers > 0, got [0,1,1]");
});

describe("a class that is not there", () => {
  const absent = () => tf.zeros([1, 1, 4, 1], "int32");
  const logits = (scores: readonly (readonly number[])[]) => tf.tensor(scores.flat(), [1, 1, 4, 2]);
  const somewhere = () =>
    logits([
      [9, -9],
      [-9, 9],
      [9, -9],
      [9, -9],
    ]);
  it("costs nothing in the boundary loss, and what is predicted of it in the Hausdorff loss", () => {
    expect(read(boundaryLoss()(somewhere(), absent()))).toBe(0);
    // One voxel with the distance 1 to what surrounds it, squared, over four voxels.
    expect(read(hausdorffLoss()(somewhere(), absent()))).toBeCloseTo(1 / 4, 4);
  });
  it("has no boundary when it is predicted everywhere, which the losses over regions see", () => {
    const everywhere = logits([0, 1, 2, 3].map(() => [-9, 9]));
    expect(read(hausdorffLoss()(everywhere, absent()))).toBe(0);
    const combined = combinedLoss({ losses: [diceLoss(), hausdorffLoss()] });
    expect(read(combined(everywhere, absent()))).toBeGreaterThan(0.9);
  });
});
