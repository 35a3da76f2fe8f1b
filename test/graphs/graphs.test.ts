import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Batch } from "../../src/core/batch.js";
import type { RunContext } from "../../src/core/run-context.js";
import { SlabPool } from "../../src/core/slab-pool.js";
import { fullImageGraph, patchGraph } from "../../src/graphs/index.js";
import { niftiCases, writePhantoms } from "../../src/io/index.js";
import { augment, batch, cases, clip, load, normalize, patch, prefetch, resample, shuffle } from "../../src/operators/index.js";
import { iterate } from "../../src/streams/index.js";
import { type GraphFunction, inspectGraph } from "../../src/training/index.js";
import { createTaskPool, type TaskPool } from "../../src/workers/index.js";

const folder = mkdtempSync(join(tmpdir(), "vox-graphs-"));
const classes = ["background", "kidney", "tumor"];
let tasks: TaskPool;
beforeAll(async () => {
  await writePhantoms({ folder: join(folder, "data"), cases: 3, shape: [16, 32, 32], seed: 5 });
  process.env.VOXSTREAM_CACHE = join(folder, "cache");
  tasks = createTaskPool({ threads: 1 });
});
afterAll(async () => {
  delete process.env.VOXSTREAM_CACHE;
  await tasks.destroy();
  rmSync(folder, { recursive: true });
});

/** What a graph makes of the phantoms in one epoch. */
async function batchesOf(
  graph: GraphFunction,
): Promise<readonly { readonly shape: readonly number[]; readonly ids: readonly string[]; readonly values: Float32Array }[]> {
  const data = niftiCases({ root: join(folder, "data"), classes });
  const context: RunContext = { seed: 3, mode: "training", pool: new SlabPool({ budget: 2 ** 28 }), tasks, onError: "fail" };
  const made = [];
  const input = { cases: cases(data, { refs: await data.list() }), mode: context.mode, classes };
  for await (const { image, parts } of iterate(graph(input), { context }) as AsyncIterable<Batch>) {
    made.push({ shape: image.shape, ids: parts.map(({ id }) => id), values: Float32Array.from(image.data) });
  }
  expect(context.pool.bytesInUse).toBe(0);
  return made;
}

describe("patchGraph", () => {
  it("makes what the same operators make, composed by hand, cached or not", async () => {
    const range = [-79, 304] as const;
    const byHand = await batchesOf(({ cases }) =>
      cases.pipe(
        load(),
        clip({ min: -79, max: 304 }),
        resample({ spacing: [4, 4, 4] }),
        normalize(),
        patch({ size: [8, 16, 16], perCase: 2, foreground: 1 / 3 }),
        augment({ mirror: true }),
        shuffle({ window: 16 }),
        batch({ size: 2 }),
        prefetch({ capacity: 2 }),
      ),
    );
    expect(byHand.map(({ shape }) => shape)).toEqual([2, 2, 2].map((count) => [count, 8, 16, 16, 1]));
    for (const store of [false, true, true]) {
      expect(await batchesOf(patchGraph({ range, spacing: [4, 4, 4], patch: [8, 16, 16], augment: { mirror: true }, store }))).toEqual(byHand);
    }
  });

  it("a grid covers every case, without augmentation when that is asked for", async () => {
    const made = await batchesOf(patchGraph({ patch: [8, 16, 16], mode: "grid", augment: false, store: false, batch: 4 }));
    expect(made.flatMap(({ ids }) => ids)).toHaveLength(3 * 8);
  });

  it("leaves patches without foreground out when asked to", async () => {
    const graph = (skipBlank: boolean) => patchGraph({ patch: [4, 4, 4], mode: "grid", augment: false, store: false, skipBlank });
    const count = async (skipBlank: boolean) => (await batchesOf(graph(skipBlank))).flatMap(({ ids }) => ids).length;
    const [all, some] = [await count(false), await count(true)];
    expect(some).toBeGreaterThan(0);
    expect(some).toBeLessThan(all);
  });

  it("tells a new case's way to the network", () => {
    const data = niftiCases({ root: folder, classes });
    const { patch, spacing, preprocessing } = inspectGraph({
      data,
      graph: patchGraph({ range: [-79, 304], spacing: [3.22, 1.62, 1.62], patch: [80, 160, 160] }),
    });
    expect(patch).toEqual([80, 160, 160]);
    expect(spacing).toEqual([3.22, 1.62, 1.62]);
    expect(preprocessing.map(({ name }) => name)).toEqual(["load", "clip", "resample", "normalize"]);
  });

  it("names the option that was probably meant, as fullImageGraph does", () => {
    expect(() => patchGraph({ patch: [8, 8, 8], percase: 2 } as never)).toThrow(/^patchGraph: .* did you mean perCase\?$/);
    expect(() => fullImageGraph({ divisors: 8 } as never)).toThrow(/^fullImageGraph: .* did you mean divisor\?$/);
  });

  it("refuses what its operators refuse", () => {
    const data = niftiCases({ root: folder, classes });
    expect(() => inspectGraph({ data, graph: patchGraph({ range: [5, 1], patch: [8, 8, 8] }) })).toThrow(/clip: /);
  });
});

describe("fullImageGraph", () => {
  it("gives whole images, padded to what the poolings ask for", async () => {
    const made = await batchesOf(fullImageGraph({ range: [-79, 304], divisor: 32, augment: false, store: false }));
    expect(made.map(({ shape }) => shape)).toEqual([0, 0, 0].map(() => [1, 32, 32, 32, 1]));
  });
});
