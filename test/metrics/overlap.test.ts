import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  absoluteVolumeError,
  accuracy,
  dice,
  iou,
  LabelMapComparison,
  type Metric,
  precision,
  sensitivity,
  specificity,
  volumeError,
} from "../../src/metrics/index.js";

const compare = (prediction: number[], reference: number[], label: number | number[] = 1) =>
  new LabelMapComparison({
    prediction: Uint8Array.from(prediction),
    reference: Uint8Array.from(reference),
    shape: [1, 1, prediction.length],
    spacing: [3, 0.5, 2],
  }).of(label);

describe("metrics of overlap", () => {
  it("agree with a case worked out by hand", () => {
    // TP 2, FP 1, FN 2, TN 3; voxel volume 3 mm³.
    const c = compare([1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 0, 1, 1, 0, 0, 0]);
    expect(c.counts).toEqual({ truePositives: 2, falsePositives: 1, falseNegatives: 2, trueNegatives: 3 });
    expect(c.state).toBe("ok");
    expect(dice(c)).toBeCloseTo(4 / 7, 12);
    expect(iou(c)).toBeCloseTo(2 / 5, 12);
    expect(sensitivity(c)).toBeCloseTo(2 / 4, 12);
    expect(precision(c)).toBeCloseTo(2 / 3, 12);
    expect(specificity(c)).toBeCloseTo(3 / 4, 12);
    expect(accuracy(c)).toBeCloseTo(5 / 8, 12);
    expect(volumeError(c)).toBeCloseTo(-1 / 4, 12);
    expect(absoluteVolumeError(c)).toBeCloseTo(3, 12);
  });

  it("the Dice of MIScnn's compute_dice holds, with NaN for the class in neither map", () => {
    const maps = new LabelMapComparison({
      prediction: Uint8Array.of(0, 1, 1, 1, 2, 0, 0, 0),
      reference: Uint8Array.of(0, 0, 1, 1, 2, 2, 0, 0),
      shape: [2, 2, 2],
    });
    expect(dice(maps.of(0))).toBeCloseTo(0.75, 12);
    expect(dice(maps.of(1))).toBeCloseTo(0.8, 12);
    expect(dice(maps.of(2))).toBeCloseTo(0.6666667, 6);
    expect(dice(maps.of(3))).toBeNaN();
    expect(maps.of(3).state).toBe("both_empty");
  });

  it("several labels count as one region", () => {
    const c = compare([1, 2, 2, 0], [2, 2, 0, 1], [1, 2]);
    expect(c.counts).toEqual({ truePositives: 2, falsePositives: 1, falseNegatives: 1, trueNegatives: 0 });
    expect(compare([1, 2, 2, 0], [2, 2, 0, 1], [1, 2, 2, 9]).counts).toEqual(c.counts);
  });

  const states: [string, number[], number[], Record<string, [Metric, number]>][] = [
    [
      "both_empty",
      [0, 0],
      [0, 0],
      {
        dice: [dice, NaN],
        iou: [iou, NaN],
        sensitivity: [sensitivity, NaN],
        precision: [precision, NaN],
        specificity: [specificity, 1],
        accuracy: [accuracy, 1],
        volumeError: [volumeError, 0],
        absoluteVolumeError: [absoluteVolumeError, 0],
      },
    ],
    [
      "ref_empty",
      [1, 0],
      [0, 0],
      {
        dice: [dice, 0],
        iou: [iou, 0],
        sensitivity: [sensitivity, NaN],
        precision: [precision, 0],
        specificity: [specificity, 0.5],
        accuracy: [accuracy, 0.5],
        volumeError: [volumeError, NaN],
        absoluteVolumeError: [absoluteVolumeError, 3],
      },
    ],
    [
      "pred_empty",
      [0, 0],
      [1, 0],
      {
        dice: [dice, 0],
        iou: [iou, 0],
        sensitivity: [sensitivity, 0],
        precision: [precision, 0],
        specificity: [specificity, 1],
        accuracy: [accuracy, 0.5],
        volumeError: [volumeError, -1],
        absoluteVolumeError: [absoluteVolumeError, 3],
      },
    ],
  ];
  for (const [state, prediction, reference, expected] of states) {
    it(`${state}: each metric gives what its doc says`, () => {
      const c = compare(prediction, reference);
      expect(c.state).toBe(state);
      for (const [name, [metric, value]] of Object.entries(expected)) expect([name, metric(c)]).toEqual([name, value]);
    });
  }

  it("labels of 16 bits and gaps between them are fine", () => {
    const maps = new LabelMapComparison({ prediction: Uint16Array.of(1605, 0, 300), reference: Uint16Array.of(1605, 300, 300), shape: [1, 1, 3] });
    expect(maps.labels).toEqual([300, 1605]);
    expect(dice(maps.of(1605))).toBe(1);
    expect(dice(maps.of(300))).toBeCloseTo(2 / 3, 12);
  });

  it("say what is wrong with their input", () => {
    const reference = Uint8Array.of(1, 2);
    expect(() => new LabelMapComparison({ prediction: Uint8Array.of(1), reference, shape: [1, 1, 2] })).toThrow(
      "labelMapComparison: the prediction must have 2 voxels for shape 1x1x2, got 1",
    );
    expect(() => new LabelMapComparison({ prediction: Int16Array.of(-1, 0), reference, shape: [1, 1, 2] })).toThrow(
      "labels must lie in 0..65535, got -1",
    );
    expect(() => new LabelMapComparison({ prediction: reference, reference, shape: [1, 1, 2], spacing: [1, 0, 1] })).toThrow(
      "spacing must be three lengths > 0 mm",
    );
    expect(() => compare([1], [1], -1)).toThrow("labels must be one or more integers >= 0, got -1");
  });

  const maps = fc.integer({ min: 1, max: 40 }).chain((n) => {
    const map = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: n, maxLength: n });
    return fc.tuple(map, map);
  });

  it("counts equal a plain count, for any maps and label", () => {
    fc.assert(
      fc.property(maps, fc.integer({ min: 0, max: 4 }), ([p, r], label) => {
        const count = (f: (i: number) => boolean): number => p.filter((_, i) => f(i)).length;
        expect(compare(p, r, label).counts).toEqual({
          truePositives: count((i) => p[i] === label && r[i] === label),
          falsePositives: count((i) => p[i] === label && r[i] !== label),
          falseNegatives: count((i) => p[i] !== label && r[i] === label),
          trueNegatives: count((i) => p[i] !== label && r[i] !== label),
        });
      }),
    );
  });

  it("do not depend on the order of voxels or the names of labels; Dice and IoU are symmetric and bound to each other", () => {
    fc.assert(
      fc.property(maps, fc.integer({ min: 1, max: 3 }), ([p, r], label) => {
        const c = compare(p, r, label);
        const reversed = compare([...p].reverse(), [...r].reverse(), label);
        const renamed = compare(
          p.map((v) => (v === 0 ? 0 : 4 - v)),
          r.map((v) => (v === 0 ? 0 : 4 - v)),
          4 - label,
        );
        for (const metric of [dice, iou, sensitivity, precision, specificity, accuracy, volumeError]) {
          expect(metric(reversed)).toBe(metric(c));
          expect(metric(renamed)).toBe(metric(c));
        }
        const swapped = compare(r, p, label);
        expect(dice(swapped)).toBe(dice(c));
        if (c.state !== "both_empty") expect(dice(c)).toBeCloseTo((2 * iou(c)) / (1 + iou(c)), 12);
        if (c.state === "ok") expect(sensitivity(swapped)).toBe(precision(c));
      }),
    );
  });
});
