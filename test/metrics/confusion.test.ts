import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LabelMapComparison } from "../../src/metrics/index.js";

const compare = (prediction: readonly number[], reference: readonly number[]): LabelMapComparison =>
  new LabelMapComparison({ prediction: Uint8Array.from(prediction), reference: Uint8Array.from(reference), shape: [1, 1, prediction.length] });

describe("the confusion table", () => {
  it("counts voxels by true and predicted class: by hand", () => {
    const reference = [0, 0, 0, 1, 1, 1, 1, 2, 2, 0];
    const prediction = [0, 0, 1, 1, 1, 2, 0, 1, 2, 0];
    expect(compare(prediction, reference).confusion(4)).toEqual([
      [3, 1, 0, 0],
      [1, 2, 1, 0],
      [0, 1, 1, 0],
      [0, 0, 0, 0],
    ]);
  });

  it("equals a plain count for any maps, and its margins are the counts of each class", () => {
    const maps = fc.integer({ min: 1, max: 60 }).chain((n) => {
      const map = fc.array(fc.constantFrom(0, 0, 1, 2, 4), { minLength: n, maxLength: n });
      return fc.tuple(map, map);
    });
    fc.assert(
      fc.property(maps, ([p, r]) => {
        const comparison = compare(p, r);
        const table = comparison.confusion(5);
        for (let truth = 0; truth < 5; truth++) {
          for (let predicted = 0; predicted < 5; predicted++) {
            expect(table[truth]![predicted]).toBe(p.filter((value, i) => value === predicted && r[i] === truth).length);
          }
          const { truePositives, falsePositives, falseNegatives } = comparison.of(truth).counts;
          expect(table[truth]![truth]).toBe(truePositives);
          expect(table[truth]!.reduce((sum, voxels) => sum + voxels, 0)).toBe(truePositives + falseNegatives);
          expect(table.reduce((sum, row) => sum + row[truth]!, 0)).toBe(truePositives + falsePositives);
        }
      }),
    );
  });

  it("refuses labels that no class has", () => {
    expect(() => compare([0, 3], [0, 1]).confusion(3)).toThrow("labelMapComparison: labels must lie in 0..2 for 3 classes, got 3");
    expect(() => compare([0], [0]).confusion(0)).toThrow("classes must be an integer >= 1, got 0");
  });
});
