import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cacheInfo, closeCaseStores } from "../../src/cache/index.js";
import type { Batch } from "../../src/core/batch.js";
import type { CaseRef, DataSet } from "../../src/core/case.js";
import type { Sample } from "../../src/core/sample.js";
import type { Volume } from "../../src/core/volume.js";
import { niftiCases, PHANTOM_CLASSES, writePhantoms } from "../../src/io/index.js";
import { augment, batch, cached, cases, clip, load, normalize, pad, patch, resample, shuffle, skipBlank } from "../../src/operators/index.js";
import { createTaskPool } from "../../src/workers/create-task-pool.js";
import { collect, contextOf } from "./run-graph.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-determinism-"));
let data: DataSet;
let refs: readonly CaseRef[];

beforeAll(async () => {
  await writePhantoms({ folder: join(folder, "data"), cases: 4, shape: [16, 36, 32], seed: 3 });
  data = niftiCases({ root: join(folder, "data"), classes: [...PHANTOM_CLASSES] });
  refs = await data.list();
});
afterAll(async () => {
  await closeCaseStores();
  rmSync(folder, { recursive: true });
});

async function digest(workers: number, cacheFolder?: string, seed = 5): Promise<string[]> {
  const tasks = createTaskPool({ threads: workers });
  const context = contextOf({ tasks, seed });
  const preprocessing = [load(), clip({ min: -200, max: 300 }), resample({ spacing: [3.5, 2, 2] }), normalize(), pad({ divisor: 4 })] as const;
  const [first, a, b, c, d] = preprocessing;
  const source = cases(data, { refs, epochs: 2 });
  const samples = cacheFolder ? source.pipe(cached(first, a, b, c, d, { folder: cacheFolder })) : source.pipe(first, a, b, c, d);
  const flow = samples.pipe(
    patch({ size: [12, 16, 16], perCase: 3, margin: 2, foreground: 0.5 }),
    skipBlank(),
    augment({ mirror: true, elastic: { alpha: [0, 60], sigma: [2, 3] }, probability: 0.4 }),
    shuffle({ window: 6 }),
    batch({ size: 2 }),
  );
  try {
    const digests = await collect(flow, context, ({ image, label, parts }: Batch) => {
      const hash = createHash("sha256").update(new Uint8Array(image.data.buffer, image.data.byteOffset, image.data.byteLength));
      hash.update(new Uint8Array(label!.data.buffer, label!.data.byteOffset, label!.data.byteLength));
      return hash.update(JSON.stringify(parts)).digest("hex");
    });
    expect(context.pool.bytesInUse).toBe(0);
    return digests;
  } finally {
    await tasks.destroy();
  }
}

it("the same seed gives the same batches bit for bit with 1, 2 and 5 workers, cached and not cached", { timeout: 120_000 }, async () => {
  const expected = await digest(1);
  expect(expected).toHaveLength(12);
  expect(new Set(expected).size).toBe(12);
  expect(await digest(2)).toEqual(expected);
  expect(await digest(5)).toEqual(expected);
  const cold = join(folder, "cold");
  expect(await digest(1, cold)).toEqual(expected);
  expect(cacheInfo(cold).cases).toBe(4);
  expect(await digest(1, cold)).toEqual(expected);
  expect(await digest(2, cold)).toEqual(expected);
  expect(await digest(5, join(folder, "cold-5"))).toEqual(expected);
});

it("another seed gives other batches", async () => {
  const [a, b] = [await digest(2, join(folder, "cold"), 5), await digest(2, join(folder, "cold"), 6)];
  expect(a.filter((hash) => b.includes(hash))).toEqual([]);
});

it("validation cuts the same patches of the same cases in every epoch, unchanged by augmentation", async () => {
  const flow = cases(data, { refs, epochs: 2 }).pipe(
    load(),
    normalize(),
    patch({ size: [12, 16, 16], perCase: 3, margin: 2, foreground: 0.5 }),
    augment({ mirror: { probability: 1 } }),
    shuffle({ window: 6 }),
  );
  const seen = await collect(flow, contextOf({ mode: "validation" }), ({ id, epoch, patch: number, origin, image, history }: Sample) => ({
    epoch,
    rest: JSON.stringify([id, number, origin, history, image.shape]) + (image as Volume<"float32">).data.reduce((sum, value) => sum + value, 0),
  }));
  const [first, second] = [0, 1].map((epoch) => seen.filter((value) => value.epoch === epoch).map(({ rest }) => rest));
  expect(first).toHaveLength(12);
  expect(second).toEqual(first);
  expect(first![0]).toContain("case_00000");
  expect(new Set(first).size).toBe(12);
});
