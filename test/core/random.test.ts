import { describe, expect, test } from "vitest";
import { hashKey, Random } from "../../src/core/random.js";

// Numbers from a Python implementation of sfc32 and of the key hash, written from their descriptions.
const KEY = [1, 0, "case_00003", 2, "augment"] as const;

test("the hash of a key and the numbers after it are fixed", () => {
  expect(hashKey(KEY)).toEqual([982709310, 3559539334, 2420175600, 2130199624]);
  const random = new Random(...KEY);
  expect(Array.from({ length: 5 }, () => random.uint32())).toEqual([1057510510, 2176706421, 2029408596, 1284611226, 803175940]);
  const other = new Random(42);
  expect(Array.from({ length: 3 }, () => other.next())).toEqual([0.9563040590652945, 0.30146260358476207, 0.6957274225245592]);
});

test("keys that join to the same text without a separator differ", () => {
  expect(new Random("ab", "c").uint32()).not.toBe(new Random("a", "bc").uint32());
  expect(new Random(1, 23).uint32()).not.toBe(new Random(12, 3).uint32());
});

describe("over 100 000 draws", () => {
  const N = 100_000;
  const draws = (draw: (random: Random) => number): number[] => {
    const random = new Random("statistics");
    return Array.from({ length: N }, () => draw(random));
  };
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = (values: number[]): number => {
    const center = mean(values);
    return Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
  };

  test("next is uniform in [0, 1)", () => {
    const values = draws((random) => random.next());
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(mean(values)).toBeCloseTo(0.5, 2);
    expect(spread(values)).toBeCloseTo(Math.sqrt(1 / 12), 2);
    const bins = new Array<number>(16).fill(0);
    for (const value of values) bins[Math.floor(value * 16)]!++;
    // Chi-square with 15 degrees of freedom: 37.7 is its 99.9 % quantile.
    const chi = bins.reduce((sum, count) => sum + (count - N / 16) ** 2 / (N / 16), 0);
    expect(chi).toBeLessThan(37.7);
  });

  test("uniform keeps its bounds", () => {
    const values = draws((random) => random.uniform(-3, 5));
    expect(values.every((value) => value >= -3 && value < 5)).toBe(true);
    expect(mean(values)).toBeCloseTo(1, 1);
  });

  test("integer reaches both ends and nothing beyond", () => {
    const values = draws((random) => random.integer(2, 6));
    expect([...new Set(values)].sort()).toEqual([2, 3, 4, 5, 6]);
    for (const value of [2, 3, 4, 5, 6]) expect(values.filter((other) => other === value).length / N).toBeCloseTo(0.2, 1);
  });

  test("normal has mean 0 and deviation 1, and 4.6 % beyond two", () => {
    const values = draws((random) => random.normal());
    expect(mean(values)).toBeCloseTo(0, 1);
    expect(spread(values)).toBeCloseTo(1, 1);
    expect(values.filter((value) => Math.abs(value) > 2).length / N).toBeCloseTo(0.0455, 2);
    expect(values.every(Number.isFinite)).toBe(true);
  });

  test("chance happens as often as it says", () => {
    expect(mean(draws((random) => Number(random.chance(0.3))))).toBeCloseTo(0.3, 2);
    expect(mean(draws((random) => Number(random.chance(0))))).toBe(0);
    expect(mean(draws((random) => Number(random.chance(1))))).toBe(1);
  });
});

test("shuffle makes every permutation equally often", () => {
  const random = new Random("permutations");
  const counts = new Map<string, number>();
  for (let i = 0; i < 24_000; i++) {
    const key = random.shuffle([0, 1, 2, 3]).join("");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
