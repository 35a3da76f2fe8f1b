import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementCount, type Shape4, type Triple } from "../../src/core/shape.js";
import {
  type Infer,
  inverseTurn,
  type SlidingWindowOptions,
  slidingWindow,
  turnWindows,
  type WindowTurn,
  windowTurns,
} from "../../src/inference/index.js";

type Axis = 0 | 1 | 2;
const cube = [3, 3, 3, 2] as const;
const counted = Float32Array.from({ length: 54 }, (_, i) => i);

describe("turns of windows", () => {
  it("are as many as the symmetries of line, square and cube, each another one, the identity first", () => {
    const sizes: [Axis[], Axis[], number][] = [
      [[], [], 1],
      [[2], [], 2],
      [[0, 1, 2], [], 8],
      [[], [0], 4],
      [[1, 2], [0], 8],
      [[0, 1, 2], [0], 16],
      [[], [0, 1], 24],
      [[], [0, 1, 2], 24],
      [[0, 1, 2], [0, 1, 2], 48],
    ];
    for (const [flips, rotations, size] of sizes) {
      const turns = windowTurns({ flips, rotations });
      expect(turns).toHaveLength(size);
      expect(turns[0]).toEqual({ order: [0, 1, 2], flips: [false, false, false] });
      expect(new Set(turns.map((turn) => String(turnWindows(counted, cube, 1, turn)))).size).toBe(size);
    }
  });

  it("move each voxel where a loop over coordinates moves it, and their inverse moves it back, for every one of the 48", () => {
    const batch = Float32Array.from({ length: 2 * 54 }, (_, i) => i);
    for (const turn of windowTurns({ flips: [0, 1, 2], rotations: [0, 1, 2] })) {
      const turned = turnWindows(batch, cube, 2, turn);
      for (let n = 0; n < 2; n++) {
        for (let i = 0; i < 27; i++) {
          const to = [Math.floor(i / 9), Math.floor(i / 3) % 3, i % 3];
          const from = [0, 0, 0];
          turn.order.forEach((axis, k) => {
            from[axis] = turn.flips[k] ? 2 - to[k]! : to[k]!;
          });
          for (let c = 0; c < 2; c++) expect(turned[n * 54 + i * 2 + c]).toBe(n * 54 + ((from[0]! * 3 + from[1]!) * 3 + from[2]!) * 2 + c);
        }
      }
      expect(turnWindows(turned, cube, 2, inverseTurn(turn))).toEqual(batch);
    }
  });

  it("around an axis are quarter turns, not mirrors: four of them close, and handedness stays", () => {
    for (const axis of [0, 1, 2] as const) {
      for (const { order, flips } of windowTurns({ flips: [], rotations: [axis] })) {
        const swaps = order.every((value, k) => value === k) ? 0 : 1;
        expect((swaps + flips.filter(Boolean).length) % 2).toBe(0);
        expect([order[axis], flips[axis]]).toEqual([axis, false]);
      }
    }
  });
});

/** Any function of a voxel, its neighbors and its place in the window: not equivariant to anything. */
const crooked: Infer = (patches, count) => {
  const voxels = patches.length / count;
  return Float32Array.from({ length: patches.length * 2 }, (_, i) => {
    const at = i >> 1;
    const place = at % voxels;
    return Math.fround(patches[at]! * (1 + place / 7) + (i % 2) * (place > 0 ? patches[at - 1]! : 3));
  });
};

/** Class = intensity, with scores of 0 and 1: turns with the image. */
const equivariant: Infer = (patches) => {
  const out = new Float32Array(patches.length * 4);
  patches.forEach((value, i) => {
    out[i * 4 + value] = 1;
  });
  return out;
};

describe("a prediction averaged over turned windows", () => {
  it("of an equivariant model is exactly that without, for any choice of mirrors and quarter turns", async () => {
    const choice = fc.record({
      flips: fc.subarray([0, 1, 2] as const),
      rotations: fc.subarray([0, 1, 2] as const),
      size: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(choice, async ({ flips, rotations, size, seed }) => {
        const shape: Shape4 = [...size, 1];
        const image = Float32Array.from({ length: elementCount(size) }, (_, i) => (((i + seed) * 2654435761) >>> 3) % 4);
        const options: SlidingWindowOptions = { infer: equivariant, classes: 4, patch: [4, 4, 4], keepScores: true };
        const plain = await slidingWindow(image, shape, options);
        const averaged = await slidingWindow(image, shape, { ...options, flips, rotations });
        expect(averaged.labels).toEqual(plain.labels);
        // A mean of ones over 3 x 16 turns is one but for the rounding of single precision.
        averaged.scores!.forEach((score, i) => {
          expect(Math.abs(score - plain.scores![i]!)).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 40 },
    );
  });

  it("is the plain mean over turned windows, turned back", async () => {
    const image = Float32Array.from({ length: 32 }, (_, i) => Math.sin(i * 1.3));
    const patch: Triple = [2, 4, 4];
    const { scores } = await slidingWindow(image, [...patch, 1], { infer: crooked, classes: 2, patch, rotations: [0], flips: [0], keepScores: true });
    const expected = new Float64Array(64);
    // Eight ways, written out: k quarter turns of each slice, with and without the depth mirrored.
    for (let quarter = 0; quarter < 4; quarter++) {
      for (const isMirrored of [false, true]) {
        const place = (z: number, y: number, x: number): number => {
          let [row, column] = [y, x];
          for (let k = 0; k < quarter; k++) [row, column] = [column, 3 - row];
          return ((isMirrored ? 1 - z : z) * 4 + row) * 4 + column;
        };
        const turned = new Float32Array(32);
        for (let i = 0; i < 32; i++) turned[place(i >> 4, (i >> 2) & 3, i & 3)] = image[i]!;
        const given = (await crooked(turned, 1)) as Float32Array;
        for (let i = 0; i < 32; i++) for (let c = 0; c < 2; c++) expected[i * 2 + c]! += given[place(i >> 4, (i >> 2) & 3, i & 3) * 2 + c]! / 8;
      }
    }
    scores!.forEach((score, i) => {
      expect(score).toBeCloseTo(expected[i]!, 4);
    });
  });

  it("turns with the image, whatever the model does", async () => {
    const shape: Shape4 = [4, 4, 4, 1];
    const image = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i * 1.3));
    const options = {
      infer: crooked,
      classes: 2,
      patch: [4, 4, 4] as const,
      flips: [0, 1, 2] as const,
      rotations: [0, 1, 2] as const,
      keepScores: true,
    };
    const straight = (await slidingWindow(image, shape, options)).scores!;
    const turns: readonly WindowTurn[] = windowTurns(options);
    for (const turn of [turns[5]!, turns[17]!, turns[46]!]) {
      const { scores } = await slidingWindow(turnWindows(image, shape, 1, turn), shape, options);
      turnWindows(straight, [4, 4, 4, 2], 1, turn).forEach((score, i) => {
        expect(scores![i]).toBeCloseTo(score, 4);
      });
    }
  });

  it("is refused where a window would not be square", async () => {
    const run = slidingWindow(new Float32Array(8), [2, 2, 2, 1], { infer: equivariant, classes: 4, patch: [1, 2, 2], rotations: [1] });
    await expect(run).rejects.toThrow("slidingWindow: rotations must be axes across which the patch 1x2x2 is square, got [1]");
    const strange = slidingWindow(new Float32Array(8), [2, 2, 2, 1], { infer: equivariant, classes: 4, patch: [2, 2, 2], rotations: [3 as 0] });
    await expect(strange).rejects.toThrow("rotations must be axes 0, 1 or 2");
  });
});
