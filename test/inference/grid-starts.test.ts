import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gridStarts } from "../../src/inference/grid-starts.js";
import { patchStarts } from "../../src/operators/patch/patch-starts.js";

describe("gridStarts", () => {
  it("is the grid of the patch operator, whose numbers are MIScnn's", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 90 }), fc.nat(89), (size, patch, drawn) => {
        expect(gridStarts(size, patch, drawn % patch)).toEqual(patchStarts(size, patch, drawn % patch));
      }),
    );
    expect(gridStarts(216, 80, 40)).toEqual([0, 40, 80, 120, 136]);
  });

  it("covers every voxel, stays inside, and neighbors share at least the overlap", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 }), fc.nat(19), (size, patch, drawn) => {
        const overlap = drawn % patch;
        const starts = gridStarts(size, patch, overlap);
        const covered = new Set(starts.flatMap((start) => Array.from({ length: patch }, (_, i) => start + i)));
        for (let voxel = 0; voxel < size; voxel++) expect(covered.has(voxel)).toBe(true);
        if (size >= patch) expect(starts.at(-1)! + patch).toBe(size);
        for (let k = 1; k < starts.length; k++) {
          expect(starts[k]!).toBeGreaterThan(starts[k - 1]!);
          expect(starts[k - 1]! + patch - starts[k]!).toBeGreaterThanOrEqual(overlap);
        }
      }),
    );
  });

  it("says which number is wrong", () => {
    expect(() => gridStarts(10, 4, 4)).toThrow("gridStarts: overlap must be an integer in [0, 4), got 4");
    expect(() => gridStarts(10, 0, 0)).toThrow("gridStarts: patch must be an integer >= 1, got 0");
    expect(() => gridStarts(1.5, 4, 0)).toThrow("gridStarts: size must be an integer >= 1, got 1.5");
  });
});
