import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gridStarts } from "../../src/inference/grid-starts.js";

describe("gridStarts", () => {
  it.each([
    [16, 5, 2, [0, 3, 6, 9, 11]],
    [16, 5, 0, [0, 5, 10, 11]],
    [10, 8, 4, [0, 2]],
    [3, 8, 4, [0]],
    [100, 80, 40, [0, 20]],
    [216, 80, 40, [0, 40, 80, 120, 136]],
    [9, 4, 2, [0, 2, 4, 5]],
  ])("size %i, patch %i, overlap %i: %j, as MIScnn's slice_matrix", (size, patch, overlap, starts) => {
    expect(gridStarts(size, patch, overlap)).toEqual(starts);
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
