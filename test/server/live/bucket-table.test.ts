import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BucketTable } from "../../../src/server/live/bucket-table.js";

const LOSS = ["loss"];

type Row = readonly [x: number, value: number];

function tableOf(rows: readonly Row[], capacity = 64): BucketTable {
  const table = new BucketTable({ capacity });
  rows.forEach(([x, value], i) => {
    table.add(x, 1000 + i, i * 10, LOSS, [value]);
  });
  return table;
}

/** What the table must hold, computed from all rows at once. */
function groups(rows: readonly Row[], width: number, base: number): { x: number; mean: number; min: number; max: number }[] {
  const byBucket = new Map<number, Row[]>();
  for (const row of rows) {
    const key = Math.floor((row[0] - base) / width);
    byBucket.set(key, [...(byBucket.get(key) ?? []), row]);
  }
  return [...byBucket]
    .sort(([a], [b]) => a - b)
    .map(([, members]) => {
      const values = members.map(([, value]) => value);
      return {
        x: Math.max(...members.map(([x]) => x)),
        mean: values.reduce((a, b) => a + b, 0) / values.length,
        min: Math.min(...values),
        max: Math.max(...values),
      };
    });
}

/** Without negative zero, which JSON does not know. */
const rows = fc.array(
  fc.tuple(
    fc.nat({ max: 5000 }),
    fc.double({ min: -10, max: 10, noNaN: true }).map((value) => value + 0),
  ),
  { minLength: 1, maxLength: 400 },
);

describe("BucketTable", () => {
  test("holds every value as it is while there is room", () => {
    const table = tableOf([
      [0, 3],
      [1, 2],
      [2, 5],
    ]);
    expect(table.points("loss")).toEqual({ x: [0, 1, 2], mean: [3, 2, 5], min: [3, 2, 5], max: [3, 2, 5] });
    expect(table.width).toBe(1);
  });

  test("agrees with grouping all rows at once, for any order of x", () => {
    fc.assert(
      fc.property(rows, (all) => {
        const table = tableOf(all, 32);
        const { base, width } = table.toJSON();
        const expected = groups(all, width, base);
        const { x, mean, min, max } = table.points("loss");
        expect(x).toEqual(expected.map((group) => group.x));
        expect(min).toEqual(expected.map((group) => group.min));
        expect(max).toEqual(expected.map((group) => group.max));
        mean.forEach((value, i) => {
          expect(value).toBeCloseTo(expected[i]!.mean, 9);
        });
        expect(table.rows).toBe(all.length);
        expect(x.length).toBeLessThanOrEqual(32);
      }),
    );
  });

  test("keeps a single spike among a million steps", () => {
    const table = new BucketTable();
    for (let step = 0; step < 1e6; step++) table.add(step, step, step * 200, LOSS, [step === 654_321 ? 99 : 1]);
    const { max, x } = table.points("loss");
    expect(x.length).toBeLessThanOrEqual(1024);
    expect(Math.max(...max)).toBe(99);
    expect(table.lastX).toBe(999_999);
  });

  test("goes on after JSON exactly as without it", () => {
    fc.assert(
      fc.property(rows, rows, (before, after) => {
        const whole = tableOf([...before, ...after]);
        const copy = BucketTable.fromJSON(JSON.parse(JSON.stringify(tableOf(before))));
        after.forEach(([x, value], i) => {
          copy.add(x, 1000 + before.length + i, 0, LOSS, [value]);
        });
        const [a, b] = [whole.points("loss"), copy.points("loss")];
        expect([b.x, b.min, b.max]).toEqual([a.x, a.min, a.max]);
        b.mean.forEach((value, i) => {
          expect(value).toBeCloseTo(a.mean[i]!, 9);
        });
        expect(copy.rows).toBe(whole.rows);
      }),
    );
  });

  test("cuts what a resumed run writes again", () => {
    const table = tableOf(Array.from({ length: 40 }, (_, i) => [i, i] as const));
    table.cutAfter(24);
    expect(table.lastX).toBe(24);
    expect(table.rows).toBe(25);
    table.add(25, 0, 0, LOSS, [7]);
    expect(table.points("loss").mean.at(-1)).toBe(7);
    table.cutAfter(-1);
    expect(table.points("loss").x).toEqual([]);
    expect(table.rows).toBe(0);
  });

  test("leaves a gap for a loss that is not a number", () => {
    const table = tableOf([
      [0, 1],
      [1, Number.NaN],
      [2, Infinity],
      [3, 4],
    ]);
    expect(table.points("loss").x).toEqual([0, 3]);
    expect(table.rows).toBe(4);
  });

  test("takes at most 64 columns", () => {
    const table = new BucketTable();
    for (let i = 0; i < 200; i++) table.add(i, 0, 0, [`metric/${i}`], [1]);
    expect(table.names).toHaveLength(64);
  });

  test("names the part of the file that holds a part of the axis", () => {
    const table = tableOf(Array.from({ length: 64 }, (_, i) => [i, i] as const));
    expect(table.marks(10, 19)).toEqual({ start: 100, end: 200 });
    expect(table.marks(60, 1000)).toEqual({ start: 600, end: undefined });
    expect(table.marks(100, 200)).toBeUndefined();
  });
});
