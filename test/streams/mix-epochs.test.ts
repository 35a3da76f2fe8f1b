import { take } from "rxjs";
import { expect, test } from "vitest";
import { batchOf, mix, type Position, run, shuffle, source, to } from "../../src/streams/index.js";

/** Two endless flows of 3 and 5 items, in batches of 4. */
const batches = (epochs: "keep" | "merge") =>
  mix(
    [
      { from: source("a", 3, (index) => `a${index}`, { epochs: Number.POSITIVE_INFINITY }), weight: 2 },
      { from: source("b", 5, (index) => `b${index}`, { epochs: Number.POSITIVE_INFINITY }), weight: 1 },
    ],
    { seed: 1, epochs },
  ).pipe(shuffle({ window: 6, seed: 2 }), batchOf({ size: 4 }));

async function all(epochs: "keep" | "merge", count: number, from: Position = {}): Promise<{ seen: (readonly string[])[]; position: Position }> {
  const seen: (readonly string[])[] = [];
  const job = run(
    "mix",
    [
      batches(epochs).pipe(
        take(count),
        to((batch: readonly string[]) => void seen.push(batch)),
      ),
    ],
    { from },
  );
  await job.done;
  return { seen, position: JSON.parse(JSON.stringify(job.position)) as Position };
}

test("merged epochs do not cut batches, and each flow keeps its own order and share", async () => {
  const { seen } = await all("merge", 60);
  expect(seen.every((batch) => batch.length === 4)).toBe(true);
  const fromA = seen.flat().filter((name) => name.startsWith("a"));
  expect(fromA.length / 240).toBeGreaterThan(0.55);
  expect(fromA.length / 240).toBeLessThan(0.78);
  const counts = ["a0", "a1", "a2"].map((name) => fromA.filter((other) => other === name).length);
  // Of a flow that is gone through again and again every item comes equally often, but for what is still in the window.
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(6);
  const kept = await all("keep", 60);
  expect(kept.seen.some((batch) => batch.length < 4)).toBe(true);
});

test("a merged mixture is resumed at any position with the rest", async () => {
  const { seen } = await all("merge", 12);
  for (const done of [1, 2, 5, 8]) {
    const { position } = await all("merge", done);
    expect((await all("merge", 12 - done, position)).seen).toEqual(seen.slice(done));
  }
});

test("what epochs does is checked when the mixture is built", () => {
  expect(() => mix([{ from: source("a", 1, () => 1), weight: 1 }], { epochs: "one" as never })).toThrow(
    'mix: epochs must be "keep" or "merge", got "one"',
  );
});
