import { expect, it } from "vitest";
import type { Batch } from "../../src/core/batch.js";
import { augment, batch, cases, clip, load, normalize, patch, resample, shuffle, skipBlank } from "../../src/operators/index.js";
import { collect, contextOf, refsOf, syntheticData } from "./run-graph.js";

it("a whole chain delivers batches and gives all memory back", async () => {
  const context = contextOf();
  const data = syntheticData(5);
  const flow = cases(data, { refs: refsOf(5), epochs: 2 }).pipe(
    load(),
    clip({ min: -79, max: 304 }),
    resample({ spacing: [3, 2, 2] }),
    normalize(),
    patch({ size: [8, 8, 8], perCase: 3, margin: 1 }),
    skipBlank(),
    augment({ mirror: true, probability: 0.5, elastic: true }),
    shuffle({ window: 4 }),
    batch({ size: 2 }),
  );
  const batches = await collect(flow, context, (b: Batch) => ({
    shape: b.image.shape,
    label: b.label!.shape,
    sum: b.image.data.reduce((a, x) => a + x, 0),
    parts: b.parts,
  }));
  expect(batches.length).toBeGreaterThan(8);
  for (const { shape, sum } of batches) {
    expect(shape.slice(1)).toEqual([8, 8, 8, 1]);
    expect(Number.isFinite(sum)).toBe(true);
  }
  expect(context.pool.bytesInUse).toBe(0);
});
