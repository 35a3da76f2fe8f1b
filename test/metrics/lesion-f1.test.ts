import { describe, expect, it } from "vitest";
import { LabelMapComparison, lesionF1 } from "../../src/metrics/index.js";

const compare = (prediction: string, reference: string) => {
  const parse = (text: string): Uint8Array => Uint8Array.from([...text.replaceAll(/\s/g, "")].map(Number));
  const rows = prediction.trim().split(/\s+/);
  return new LabelMapComparison({ prediction: parse(prediction), reference: parse(reference), shape: [1, rows.length, rows[0]!.length] });
};

describe("lesionF1", () => {
  it("counts lesions, not voxels: by hand", () => {
    // Face-connected reference lesions: (0,1), (0,5), (3,1-2): the first two are touched, recall 2/3.
    // Predicted: (0,0-1), (0,5), (2,0), (2,4), (4,2), (4,5): the first two touch, precision 2/6.
    const maps = compare("110001 000000 100010 000000 001001", "010001 000000 000000 011000 000000");
    const f1 = lesionF1(maps.of(1), { connectivity: 6 });
    expect(f1).toBeCloseTo((2 * (2 / 3) * (2 / 6)) / (2 / 3 + 2 / 6), 12);
  });

  it("the connectivity decides what one lesion is", () => {
    const maps = compare("100 010 001", "100 000 000");
    expect(lesionF1(maps.of(1))).toBe(1);
    expect(lesionF1(maps.of(1), { connectivity: 6 })).toBeCloseTo((2 * 1 * (1 / 3)) / (1 + 1 / 3), 12);
    expect(() => lesionF1(maps.of(1), { connectivity: 8 as 6 })).toThrow("connectivity must be 6, 18 or 26, got 8");
  });

  it("empty masks: NaN where both are empty, 0 where one is or nothing touches", () => {
    expect(lesionF1(compare("00", "00").of(1))).toBeNaN();
    expect(lesionF1(compare("10", "00").of(1))).toBe(0);
    expect(lesionF1(compare("00", "10").of(1))).toBe(0);
    expect(lesionF1(compare("100", "001").of(1))).toBe(0);
  });

  it("a reference lesion found in two pieces is found", () => {
    expect(lesionF1(compare("101", "111").of(1))).toBe(1);
  });
});
