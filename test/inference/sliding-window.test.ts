import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Shape4, Triple } from "../../src/core/shape.js";
import { MergeMemory } from "../../src/inference/merge-memory.js";
import { RollingMerge } from "../../src/inference/rolling-merge.js";
import { type Infer, slidingWindow } from "../../src/inference/sliding-window.js";

/** A model that says of each voxel: class = its intensity. */
const oneHot =
  (classes: number): Infer =>
  (patches) => {
    const out = new Float32Array(patches.length * classes);
    patches.forEach((value, i) => {
      out[i * classes + value] = 1;
    });
    return out;
  };

/** Merges constant patches 1..n along one axis. */
async function mergeRow(size: number, patch: number, overlap: number, along: 0 | 1 | 2 = 2): Promise<number[]> {
  const at = (extent: number): Triple => [along === 0 ? extent : 1, along === 1 ? extent : 1, along === 2 ? extent : 1];
  let n = 0;
  const infer: Infer = (patches, count) => {
    const out = new Float32Array(patches.length);
    for (let k = 0; k < count; k++) out.fill(++n, (k * patches.length) / count, ((k + 1) * patches.length) / count);
    return out;
  };
  const shape = [...at(size), 1] as const;
  const o = at(overlap).map((v, axis) => (axis === along ? v : 0)) as unknown as Triple;
  const { scores } = await slidingWindow(new Float32Array(size), shape, { infer, classes: 1, patch: at(patch), overlap: o, keepScores: true });
  return Array.from(scores!, (value) => Math.round(value * 1e4) / 1e4);
}

describe("sliding window", () => {
  it("4 windows in threes are batches of 3 and 1, case by case, as MIScnn's prediction batches", async () => {
    const batches: number[][] = [];
    let window = 0;
    const infer: Infer = (patches, count) => {
      batches.push(Array.from({ length: count }, () => window++));
      return new Float32Array(patches.length * 2);
    };
    for (const first of [0, 10]) {
      window = first;
      await slidingWindow(new Float32Array(8), [1, 1, 8, 1], { infer, classes: 2, patch: [1, 1, 2], overlap: [0, 0, 0], batchSize: 3 });
    }
    expect(batches).toEqual([[0, 1, 2], [3], [10, 11, 12], [13]]);
  });

  it.each([0, 1, 2] as const)("constant patches 1..n merge to their true mean along axis %i", async (axis) => {
    expect(await mergeRow(8, 4, 2, axis)).toEqual([1, 1, 1.5, 1.5, 2.5, 2.5, 3, 3]);
    expect(await mergeRow(10, 4, 0, axis)).toEqual([1, 1, 1, 1, 2, 2, 2.5, 2.5, 3, 3]);
    // MIScnn merges in pairs and gets 3.25 at index 5; the mean of 2, 3 and 4 is 3.
    expect(await mergeRow(9, 4, 2, axis)).toEqual([1, 1, 1.5, 1.5, 2.5, 3, 3.5, 3.5, 4]);
    // Starts 0..4: voxel i is covered by patches max(1, i-2)..min(5, i+1). MIScnn has 2.25, 3.125, 4.125, 4.25 in the middle.
    expect(await mergeRow(8, 4, 3, axis)).toEqual([1, 1.5, 2, 2.5, 3.5, 4, 4.5, 5]);
  });

  it("merges in a slab whose memory does not depend on the depth", () => {
    const make = (depth: number) => new RollingMerge({ shape: [depth, 8, 8], patch: [4, 8, 8], channels: 3, labels: new Uint8Array(depth * 64) });
    expect(make(400).slabBytes).toBe(make(4).slabBytes);
    expect(make(400).slabBytes).toBe(4 * 64 * (3 + 1) * 4);
  });

  it("memory of the merge before changes no sum, also when two merges go on at once", () => {
    const memory = new MergeMemory();
    const start = () =>
      new RollingMerge({ shape: [4, 3, 3], patch: [2, 3, 3], channels: 2, labels: new Uint8Array(36), scores: new Float32Array(72), memory });
    const finish = (merge: RollingMerge, value: number) => {
      merge.add(new Float32Array(36).fill(value), [0, 0, 0]);
      merge.add(new Float32Array(36).fill(value), [2, 0, 0]);
      merge.finish();
      return (merge as unknown as { scores: Float32Array }).scores;
    };
    const first = start();
    const second = start();
    expect(finish(first, 5).every((x) => x === 5)).toBe(true);
    expect(finish(second, 7).every((x) => x === 7)).toBe(true);
    expect(finish(start(), 3).every((x) => x === 3)).toBe(true);
  });

  it("asks for windows in order of depth", () => {
    const merge = new RollingMerge({ shape: [8, 1, 1], patch: [4, 1, 1], channels: 1, labels: new Uint8Array(8) });
    merge.add(new Float32Array(4), [0, 0, 0]);
    merge.add(new Float32Array(4), [4, 0, 0]);
    expect(() => merge.add(new Float32Array(4), [0, 0, 0])).toThrow(
      "rollingMerge: start must be a depth >= 4, windows come in order of depth, got 0",
    );
  });

  it("voxels that no window covers are an error, not zeros", () => {
    const merge = new RollingMerge({ shape: [8, 1, 1], patch: [2, 1, 1], channels: 1, labels: new Uint8Array(8) });
    merge.add(new Float32Array(2), [0, 0, 0]);
    expect(() => merge.finish()).toThrow("windows must cover every voxel");
  });

  const cases = fc.record({
    size: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    patch: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
    overlap: fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5)),
    batchSize: fc.integer({ min: 1, max: 5 }),
    weighting: fc.constantFrom("constant" as const, "gaussian" as const),
    flips: fc.subarray([0, 1, 2] as const),
    seed: fc.nat(),
  });

  it("an identity model gives the image back, for every size, patch, overlap, batch, weighting and flip", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ size, patch, overlap, batchSize, weighting, flips, seed }) => {
        const shape: Shape4 = [...size, 1];
        const image = Float32Array.from({ length: size[0] * size[1] * size[2] }, (_, i) => (((i + seed) * 2654435761) >>> 3) % 4);
        const o = overlap.map((v, axis) => v % patch[axis]!) as unknown as Triple;
        const { labels } = await slidingWindow(image, shape, { infer: oneHot(4), classes: 4, patch, overlap: o, batchSize, weighting, flips });
        expect(Array.from(labels)).toEqual(Array.from(image));
      }),
      { numRuns: 60 },
    );
  });

  it("the mean equals a plain sum over all windows, for any batch size", async () => {
    const shape: Shape4 = [7, 6, 5, 1];
    const image = Float32Array.from({ length: 210 }, (_, i) => Math.sin(i * 1.7));
    // Scores depend on the place in the patch, so that a wrong offset or weight shows.
    const infer: Infer = (patches, count) => {
      const voxels = patches.length / count;
      return Float32Array.from({ length: patches.length * 2 }, (_, i) => (i % 2 ? 1 : -1) * patches[i >> 1]! * (1 + ((i >> 1) % voxels) / 10));
    };
    const patch: Triple = [3, 4, 2];
    const expected = new Float64Array(420);
    const hits = new Float64Array(210);
    for (const z of [0, 2, 4])
      for (const y of [0, 2])
        for (const x of [0, 1, 2, 3])
          for (let i = 0; i < 24; i++) {
            const to = ((z + Math.floor(i / 8)) * 6 + y + (Math.floor(i / 2) % 4)) * 5 + x + (i % 2);
            hits[to]!++;
            for (const c of [0, 1]) expected[to * 2 + c]! += (c ? 1 : -1) * image[to]! * (1 + i / 10);
          }
    for (const batchSize of [1, 3, 64]) {
      const { scores, labels } = await slidingWindow(image, shape, { infer, classes: 2, patch, overlap: [1, 2, 1], batchSize, keepScores: true });
      for (const [i, score] of scores!.entries()) expect(score).toBeCloseTo(expected[i]! / hits[i >> 1]!, 5);
      for (const [i, label] of labels.entries()) expect(label).toBe(image[i]! > 0 ? 1 : 0);
    }
  });

  it("Gaussian weights favor the middle of patches", async () => {
    let n = 0;
    const infer: Infer = (patches) => new Float32Array(patches.length).fill(n++);
    const { scores } = await slidingWindow(new Float32Array(12), [1, 1, 12, 1], {
      infer,
      classes: 1,
      patch: [1, 1, 8],
      overlap: [0, 0, 4],
      weighting: "gaussian",
      batchSize: 1,
      keepScores: true,
    });
    // Patches start at 0 and 4: voxel 5 is 1.5 from the first middle (3.5) and 2.5 from the second (7.5); sigma is 1.
    const w0 = Math.exp(-(1.5 ** 2) / 2);
    const w1 = Math.exp(-(2.5 ** 2) / 2);
    expect(scores![5]).toBeCloseTo(w1 / (w0 + w1), 5);
    expect(scores![0]).toBe(0);
    expect(scores![11]).toBe(1);
  });

  it("an image smaller than the patch is padded with its background and cropped back, axis by axis", async () => {
    const seen: number[][] = [];
    const infer: Infer = (patches) => {
      seen.push(Array.from(patches));
      return oneHot(10)(
        patches.map((v) => v + 1),
        1,
      ) as Float32Array;
    };
    const { labels } = await slidingWindow(Float32Array.of(3, -1, 5), [1, 1, 3, 1], { infer, classes: 10, patch: [1, 2, 6], overlap: [0, 1, 3] });
    expect(seen).toEqual([[-1, 3, -1, 5, -1, -1, -1, -1, -1, -1, -1, -1]]);
    expect(Array.from(labels)).toEqual([4, 0, 6]);
  });

  it("mirrors reach the model and are undone: an average over all eight views of a one-sided model is symmetric", async () => {
    const calls: number[] = [];
    // Looks only at the first voxel of the row.
    const infer: Infer = (patches) => {
      calls.push(patches[0]!);
      const out = new Float32Array(patches.length * 2);
      for (let i = 0; i < patches.length; i++) out[i * 2 + (i % 2 === 0 ? 1 : 0)] = 1;
      return out;
    };
    const { scores } = await slidingWindow(Float32Array.of(1, 2), [1, 1, 2, 1], {
      infer,
      classes: 2,
      patch: [1, 1, 2],
      overlap: [0, 0, 0],
      flips: [2],
      keepScores: true,
    });
    expect(calls).toEqual([1, 2]);
    expect(Array.from(scores!)).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  it("ties go to the lowest class; 300 classes need 16 bits", async () => {
    const flat: Infer = (patches) => new Float32Array(patches.length * 300).fill(0.5);
    const { labels } = await slidingWindow(new Float32Array(8), [2, 2, 2, 1], { infer: flat, classes: 300, patch: [2, 2, 2] });
    expect(labels).toBeInstanceOf(Uint16Array);
    expect(labels.every((label) => label === 0)).toBe(true);
  });

  it("reports every batch and can be stopped between batches", async () => {
    const controller = new AbortController();
    const progress: string[] = [];
    const result = slidingWindow(new Float32Array(64), [4, 4, 4, 1], {
      infer: oneHot(2),
      classes: 2,
      patch: [2, 2, 2],
      overlap: [0, 0, 0],
      batchSize: 3,
      signal: controller.signal,
      onPatch: (done, total) => {
        progress.push(`${done}/${total}`);
        if (done === 6) controller.abort();
      },
    });
    await expect(result).rejects.toMatchObject({ code: "ERR_STOPPED" });
    expect(progress).toEqual(["3/8", "6/8"]);
  });

  it("lets the event loop turn between batches, so that a signal from outside stops a model that computes on this thread", async () => {
    const controller = new AbortController();
    let calls = 0;
    const infer: Infer = (patches) => {
      calls++;
      return new Float32Array(patches.length * 2);
    };
    setTimeout(() => controller.abort(), 0);
    const result = slidingWindow(new Float32Array(4096), [16, 16, 16, 1], {
      infer,
      classes: 2,
      patch: [1, 1, 1],
      overlap: [0, 0, 0],
      batchSize: 1,
      signal: controller.signal,
    });
    await expect(result).rejects.toMatchObject({ code: "ERR_STOPPED" });
    expect(calls).toBeLessThan(4096);
  });

  it("says what is wrong with its options and with the model's output", async () => {
    const image = new Float32Array(8);
    const shape: Shape4 = [2, 2, 2, 1];
    const base = { infer: oneHot(2), classes: 2, patch: [2, 2, 2] as Triple };
    await expect(slidingWindow(image, [2, 2, 3, 1], base)).rejects.toThrow("slidingWindow: the image must have 12 elements for shape 2x2x3x1, got 8");
    await expect(slidingWindow(image, shape, { ...base, overlap: [0, 2, 0] })).rejects.toThrow(
      "overlap must be integers >= 0 below the patch 2x2x2, got [0,2,0]",
    );
    await expect(slidingWindow(image, shape, { ...base, batchSize: 0 })).rejects.toThrow("batchSize must be an integer >= 1, got 0");
    await expect(slidingWindow(image, shape, { ...base, classes: 3 })).rejects.toThrow("the model must give 1x2x2x2x3 scores, got 16 elements");
    await expect(slidingWindow(image, shape, { ...base, flips: [3 as 0] })).rejects.toThrow("flips must be axes 0, 1 or 2, got [3]");
  });
});
