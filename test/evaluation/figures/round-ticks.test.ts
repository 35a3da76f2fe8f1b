import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { roundTicks } from "../../../src/evaluation/figures/round-ticks.js";

const shown = (range: readonly [number, number]): number[] => roundTicks(range).map((tick) => Number(tick.toPrecision(9)));

describe("round ticks", () => {
  it("are steps of 1, 2 or 5 that enclose the range", () => {
    expect(shown([0, 1])).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(shown([0.12, 0.93])).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(shown([-13, 88])).toEqual([-50, 0, 50, 100]);
    expect(shown([1200, 1210])).toEqual([1200, 1202, 1204, 1206, 1208, 1210]);
  });

  it("are there for a single value, and from 0 to 1 for none", () => {
    expect(shown([3, 3])).toEqual([2.4, 2.6, 2.8, 3, 3.2, 3.4, 3.6]);
    expect(shown([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  });

  it("enclose any range with two to eight of them, alike apart", () => {
    const range = fc.tuple(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: 1e-3, max: 1e6, noNaN: true }));
    fc.assert(
      fc.property(range, ([low, wide]) => {
        const ticks = roundTicks([low, low + wide]);
        const step = ticks[1]! - ticks[0]!;
        expect(ticks[0]!).toBeLessThanOrEqual(low + step * 1e-6);
        expect(ticks.at(-1)!).toBeGreaterThanOrEqual(low + wide - step * 1e-6);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(8);
      }),
    );
  });
});
