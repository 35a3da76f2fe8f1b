import { describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import { elementCount, type Shape4, type Triple } from "../../src/core/shape.js";
import { gaussianWindowWeights, windowAccumulate, windowFinish } from "../../src/kernels/index.js";
import { windowAccumulateReference } from "../../src/kernels/window-accumulate/reference.js";
import { windowFinishReference } from "../../src/kernels/window-finish/reference.js";
import { largestDifference, randomFloats } from "./random-arrays.js";

/** Merges constant windows 1, 2, … of length `width` at the given starts along the last axis. */
function merge(extent: number, width: number, starts: readonly number[], weights?: Float32Array): number[] {
  const [sum, weightSum] = [new Float32Array(extent), new Float32Array(extent)];
  starts.forEach((start, i) => {
    windowAccumulate(sum, weightSum, [1, 1, extent, 1], new Float32Array(width).fill(i + 1), [1, 1, width, 1], [0, 0, start], weights);
  });
  windowFinish(sum, weightSum, sum, 1);
  return [...sum];
}

describe("windowAccumulate and windowFinish", () => {
  it("make the true mean of overlapping windows", () => {
    expect(merge(8, 4, [0, 2, 4])).toEqual([1, 1, 1.5, 1.5, 2.5, 2.5, 3, 3]);
    expect(merge(10, 4, [0, 4, 6])).toEqual([1, 1, 1, 1, 2, 2, 2.5, 2.5, 3, 3]);
    // Three windows cover voxel 5: MIScnn's pairwise mean gives 3.25 there.
    expect(merge(9, 4, [0, 2, 4, 5])).toEqual([1, 1, 1.5, 1.5, 2.5, 3, 3.5, 3.5, 4]);
    expect(merge(8, 4, [0, 1, 2, 3, 4])).toEqual([1, 1.5, 2, 2.5, 3.5, 4, 4.5, 5]);
  });

  it("weigh each window's voxels", () => {
    const weighted = merge(6, 4, [0, 2], Float32Array.from([1, 2, 2, 1]));
    expect(largestDifference(weighted, [1, 1, (2 * 1 + 1 * 2) / 3, (1 * 1 + 2 * 2) / 3, 2, 2])).toBeLessThan(1e-6);
  });

  it("equal the references on random windows inside and across the border", () => {
    const random = new Random("window");
    for (let trial = 0; trial < 40; trial++) {
      const channels = random.integer(1, 6);
      const shape: Shape4 = [random.integer(1, 5), random.integer(1, 6), random.integer(1, 50), channels];
      const patchShape: Shape4 = [random.integer(1, 5), random.integer(1, 6), random.integer(1, 50), channels];
      const voxels = elementCount(shape) / channels;
      const [sum, weightSum] = [randomFloats(voxels * channels, `sum${trial}`), randomFloats(voxels, `weights${trial}`, 0, 2).map(Math.round)];
      const [expected, expectedWeights] = [sum.slice(), weightSum.slice()];
      for (let i = 0; i < 3; i++) {
        const start: Triple = [random.integer(-4, 4), random.integer(-5, 5), random.integer(-40, 40)];
        const patch = randomFloats(elementCount(patchShape), `patch${trial}${i}`);
        const weights = i ? randomFloats(patch.length / channels, `weight${trial}${i}`, 0, 1) : undefined;
        windowAccumulate(sum, weightSum, shape, patch, patchShape, start, weights);
        windowAccumulateReference(expected, expectedWeights, shape, patch, patchShape, start, weights);
      }
      expect(largestDifference(sum, expected)).toBeLessThan(1e-5);
      expect(largestDifference(weightSum, expectedWeights)).toBeLessThan(1e-6);
      const covered = weightSum.map((weight) => weight || 1);
      const [native, reference] = [new Float32Array(sum.length), new Float32Array(sum.length)];
      windowFinish(sum, covered, native, channels);
      windowFinishReference(sum, covered, reference, channels);
      expect(largestDifference(native, reference)).toBeLessThan(1e-6 * Math.max(...reference.map(Math.abs)));
    }
  });

  it("refuse voxels without a window", () => {
    const weightSum = new Float32Array(40).fill(1);
    weightSum[3] = weightSum[35] = 0;
    expect(() => windowFinish(new Float32Array(80), weightSum, new Float32Array(80), 2)).toThrow(
      "windowFinish: windows must cover every voxel, got 2 without any",
    );
  });
});

describe("gaussianWindowWeights", () => {
  it("are largest in the middle, symmetric and never 0", () => {
    const weights = gaussianWindowWeights([5, 4, 9]);
    expect(Math.max(...weights)).toBeCloseTo(1, 6);
    expect(Math.min(...weights)).toBeGreaterThan(0);
    expect(largestDifference(weights, weights.slice().reverse())).toBe(0);
    // exp(-(4/(9/8))²/2) from the middle to the end of the width.
    expect(weights[(2 * 4 + 1) * 9]! / weights[(2 * 4 + 1) * 9 + 4]!).toBeCloseTo(Math.exp(-0.5 * (4 / (9 / 8)) ** 2), 6);
    const narrow = gaussianWindowWeights([64, 64, 64], { sigmaScale: 0.02 });
    expect(narrow.every((weight) => weight > 0)).toBe(true);
  });
});
