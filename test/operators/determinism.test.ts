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
import { augment, batch, cached, cases, clip, load, normalize, pad, patch, replay, resample, shuffle, skipBlank } from "../../src/operators/index.js";
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

/** Each sample with what it was drawn from, by its name. */
async function everyTechnique(workers: number, ids: readonly string[]): Promise<Map<string, { hash: string; history: Sample["history"] }>> {
  const tasks = createTaskPool({ threads: workers });
  const on = { probability: 1 } as const;
  const flow = cases(data, { refs, ids }).pipe(
    load(),
    normalize(),
    patch({ size: [12, 16, 16], perCase: 2, foreground: 0.5 }),
    augment({
      ...on,
      cycles: 2,
      order: 1,
      ...{ mirror: on, translation: on, additiveBrightness: on, invertedGamma: on, blur: on, lowResolution: on },
      elastic: { alpha: [0, 60], sigma: [2, 3] },
      scaling: { independent: 1 },
    }),
  );
  try {
    const seen = await collect(
      flow,
      contextOf({ tasks }),
      (sample: Sample) => [nameOf(sample), { hash: hashOf(sample), history: sample.history }] as const,
    );
    return new Map(seen);
  } finally {
    await tasks.destroy();
  }
}

const nameOf = ({ id, patch: number, cycle }: Sample): string => `${id}.${number}.${cycle}`;

function hashOf({ image, label }: Sample): string {
  const hash = createHash("sha256");
  for (const { data: voxels } of [image as Volume<"float32">, label as Volume<"uint8">]) {
    hash.update(new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength));
  }
  return hash.digest("hex");
}

it("every technique gives a sample the same bytes for any workers and whichever cases come along, and its history replays to them", async () => {
  const ids = refs.map(({ id }) => id);
  const expected = await everyTechnique(1, ids);
  expect(expected.size).toBe(16);
  expect(new Set([...expected.values()].map(({ hash }) => hash)).size).toBe(16);
  expect(await everyTechnique(3, ids)).toEqual(expected);
  for (const [name, one] of await everyTechnique(2, [ids[3]!, ids[1]!])) expect(one).toEqual(expected.get(name));
  for (const [name, { hash, history }] of [...expected].slice(0, 4)) {
    const flow = cases(data, { refs, ids: [name.split(".")[0]!] }).pipe(load(), replay(JSON.parse(JSON.stringify(history))));
    expect(await collect(flow, contextOf({ seed: 99 }), hashOf), name).toEqual([hash]);
  }
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
