import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { EMPTY, type Observable } from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CaseRef, DataSet } from "../../src/core/case.js";
import { SlabPool } from "../../src/core/slab-pool.js";
import { writePhantoms } from "../../src/io/index.js";
import {
  augment,
  batch,
  type CaseItem,
  cached,
  cases,
  clip,
  load,
  normalize,
  patch,
  planMemory,
  prefetch,
  recordOperators,
  resample,
  shuffle,
} from "../../src/operators/index.js";
import { mostBytes, withVoxels } from "../../src/operators/process-memory.js";
import { collect, contextOf, refsOf, syntheticData } from "./run-graph.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-plan-"));
const MB = 1024 ** 2;
const data: DataSet = { classes: ["background", "kidney", "tumor"], channels: 1, list: async () => [] };
const refs: CaseRef[] = [0, 1].map((k) => ({
  id: `case_0000${k}`,
  images: [join(root, `case_0000${k}`, "imaging.nii.gz")],
  label: join(root, `case_0000${k}`, "segmentation.nii.gz"),
}));
beforeAll(async () => {
  await writePhantoms({ folder: root, cases: 2, shape: [20, 40, 30], seed: 2 });
});
afterAll(() => rmSync(root, { recursive: true }));

const plan = (graph: (flow: Observable<CaseItem>) => unknown, budget: number, options: Partial<Parameters<typeof planMemory>[0]> = {}) =>
  planMemory({ operators: recordOperators(() => graph(EMPTY)), data, refs, mode: "training", budget, ...options });

describe("the memory plan", () => {
  it("says what each stage holds at most, from the headers and the options", async () => {
    const voxels = 20 * 40 * 30;
    const found = await plan(
      (flow) =>
        flow.pipe(
          load(),
          clip({ min: 0, max: 1 }),
          patch({ size: [8, 16, 16], margin: 2 }),
          augment(),
          shuffle({ window: 3 }),
          batch({ size: 2 }),
          prefetch({ capacity: 4 }),
        ),
      64 * MB,
    );
    expect(found.largestCase).toMatchObject({ bytes: expect.any(Number) });
    const patchBytes = 8 * 16 * 16 * 5;
    const [loading, cutting, ...rest] = found.stages;
    // Image and label; clip writes over the image, unless somebody else holds it.
    expect(loading!.each).toBeGreaterThanOrEqual(voxels * 5);
    expect(loading!.each).toBeLessThanOrEqual(voxels * 9);
    expect(cutting).toEqual({ stage: "patch", each: 12 * 20 * 20 * 5, most: 1 });
    expect(rest).toEqual([
      { stage: "shuffle", each: patchBytes, most: 4 },
      { stage: "batch", each: 2 * patchBytes + 8192, most: 1 },
      { stage: "prefetch", each: 2 * patchBytes + 8192, most: 4 },
      { stage: "trainer", each: 2 * patchBytes + 8192, most: 2 },
    ]);
    expect(found.text).toMatch(/^64\.0 MB for training: [\d.]+ KB a case while it is loaded, patch 1 x .* trainer 2 x .*; at least .* are needed$/);
  });

  it("counts what augment may see around a patch, up to the whole case, beside the case where it is not cached", async () => {
    const patchOf = async (make: () => ReturnType<typeof augment>, margin?: number) => {
      const found = await plan(
        (flow) => flow.pipe(load(), patch({ size: [8, 16, 16], ...(margin !== undefined && { margin }) }), make(), batch({ size: 1 })),
        64 * MB,
      );
      return found.stages.find(({ stage }) => stage === "patch")!.each;
    };
    expect(await patchOf(() => augment({ rotation: false, scaling: false, elastic: false }))).toBe(8 * 16 * 16 * 5);
    expect(await patchOf(() => augment(), 0)).toBe(8 * 16 * 16 * 5);
    expect(await patchOf(() => augment({ rotation: { degrees: 90 }, scaling: { range: [1, 3] } }))).toBe(20 * 40 * 30 * 5);
    const some = await patchOf(() => augment({ rotation: { degrees: 1 }, scaling: false, order: 1 }));
    expect(some).toBeGreaterThan(8 * 16 * 16 * 5);
    expect(some).toBeLessThan(16 * 24 * 24 * 5);
    // The case of 120 KB, and as much again around the patch.
    const tight = (budget: number) =>
      plan((flow) => flow.pipe(load(), patch({ size: [8, 16, 16] }), augment({ scaling: { range: [1, 3] } })), budget);
    await expect(tight(230_000)).rejects.toThrow("must hold a patch with what augment sees around it and its case (234 KB) beside the 10 %");
    await expect(tight(280_000)).resolves.toBeDefined();
  });

  it("counts the augmented copies that a shuffle window holds, in training", async () => {
    const windowOf = async (cycles: number, mode: "training" | "validation" = "training") => {
      const graph = (flow: Observable<CaseItem>) =>
        flow.pipe(load(), patch({ size: [8, 16, 16], perCase: 2 }), augment({ cycles }), shuffle({ window: 50 }), batch({ size: 1 }));
      return (await plan(graph, 64 * MB, { mode })).stages.find(({ stage }) => stage === "shuffle")!.most;
    };
    expect(await windowOf(1)).toBe(8);
    expect(await windowOf(3)).toBe(24);
    expect(await windowOf(3, "validation")).toBe(8);
  });

  it("follows steps that change the size of a case, cached or not", async () => {
    const coarse = await plan((flow) => flow.pipe(load(), patch({ size: [8, 8, 8] }), batch({ size: 1 })), 64 * MB);
    const fine = (isCached: boolean) =>
      plan((flow) => {
        const steps = [load(), resample({ spacing: [0.5, 0.5, 0.5] }), normalize()] as const;
        const made = isCached ? flow.pipe(cached(...steps, { folder: join(root, "none") })) : flow.pipe(...steps);
        return made.pipe(patch({ size: [8, 8, 8] }), batch({ size: 1 }));
      }, 640 * MB);
    const [plain, stored] = [await fine(false), await fine(true)];
    expect(plain.largestCase!.bytes).toBeGreaterThan(4 * coarse.largestCase!.bytes);
    expect(stored).toEqual(plain);
  });

  it("refuses a budget in which one case, one patch, a window, or one batch cannot fit, with the numbers", async () => {
    const refusal = (graph: (flow: Observable<CaseItem>) => unknown, budget: number) =>
      plan(graph, budget).then(
        () => "accepted",
        ({ code, message }) => `${code} ${message}`,
      );
    expect(await refusal((flow) => flow.pipe(load(), patch({ size: [2, 2, 2] })), 100_000)).toMatch(
      /^ERR_MEMORY training: the memory budget must hold case case_0000\d \(\d+ KB\) beside the 25 % that cases leave free, which takes \d+ KB, got 97\.7 KB: raise memory/,
    );
    expect(await refusal((flow) => flow.pipe(load(), patch({ size: [64, 64, 64] })), MB)).toMatch(/must hold a patch of 1\.3 MB beside the 10 %/);
    expect(await refusal((flow) => flow.pipe(load(), patch({ size: [16, 32, 32], perCase: 50 }), shuffle({ window: 50 })), 2 * MB)).toMatch(
      /must hold a shuffle window of 50 patches of 80\.0 KB and a case/,
    );
    expect(await refusal((flow) => flow.pipe(load(), patch({ size: [16, 32, 32] }), batch({ size: 16 })), 2 * MB)).toMatch(
      /must hold a batch of 16 \(1\.3 MB\)/,
    );
    // A window ends with its epoch: of two cases with one patch each it never holds fifty.
    expect(await refusal((flow) => flow.pipe(load(), patch({ size: [16, 32, 32] }), shuffle({ window: 50 })), 2 * MB)).toBe("accepted");
  });

  it("the least budget that it names works, and the cases of custom readers are refused at the first one", async () => {
    const graph = (flow: Observable<CaseItem>) =>
      flow.pipe(load(), normalize(), patch({ size: [8, 16, 16], perCase: 4 }), shuffle({ window: 4 }), batch({ size: 2 }));
    const { least } = await plan(graph, 64 * MB);
    const pool = new SlabPool({ budget: Math.ceil(1.1 * least) + 64 * 1024 });
    expect(await collect(graph(cases(data, { refs, epochs: 2 })), contextOf({ pool }), () => 1)).toHaveLength(8);
    const custom = syntheticData(2);
    const unknown = await plan(graph, 32 * 1024, { data: custom, refs: refsOf(2) }).catch(({ code }) => code);
    expect(unknown).toBe("ERR_MEMORY");
    const small = await plan((flow) => flow.pipe(load(), patch({ size: [2, 2, 2] }), batch({ size: 1 })), 20_000, { data: custom, refs: refsOf(2) });
    expect(small.largestCase).toBeUndefined();
    const run = collect(cases(custom, { refs: refsOf(2) }).pipe(load()), contextOf({ pool: new SlabPool({ budget: 20_000 }) }), () => 1);
    await expect(run).rejects.toMatchObject({
      code: "ERR_MEMORY",
      message: expect.stringMatching(
        /^load: an item of [\d.]+ KB must fit the memory budget of 19\.5 KB less 4\.9 KB for later stages; raise memory, or let the reader deliver smaller cases \(sample case_0\d\)$/,
      ),
    });
  });

  it("of a whole process takes threads and the work memory of kernels out of the budget, of which it may use a tenth more", async () => {
    const graph = (flow: Observable<CaseItem>) => flow.pipe(load(), patch({ size: [8, 16, 16] }), batch({ size: 1 }));
    const [none, two, base] = await Promise.all([
      plan(graph, 200 * MB, { process: { threads: 0 } }),
      plan(graph, 200 * MB, { process: { threads: 2 } }),
      plan(graph, 200 * MB, { process: { threads: 2, base: 0 } }),
    ]);
    expect([none.voxels, two.voxels, base.voxels].map((bytes) => Math.round(bytes / MB))).toEqual([108, 68, 180]);
    expect(two.text).toMatch(/^200 MB for training, of it 112 MB for the process and 40\.0 MB for 2 worker threads, 68\.0 MB for voxels: /);
    // Splines of what augment sees are as large as the image, and half as much again.
    const turned = (order: 1 | 3) =>
      plan((flow) => flow.pipe(load(), patch({ size: [8, 16, 16] }), augment({ scaling: { range: [1, 3] }, order })), 200 * MB, {
        process: { threads: 2 },
      });
    const [linear, cubic] = [await turned(1), await turned(3)];
    expect(cubic.process!.each - linear.process!.each).toBe(1.5 * 4 * 20 * 40 * 30);
    const refused = plan(graph, 100 * MB, { process: { threads: 4 } });
    await expect(refused).rejects.toThrow(
      /and 112 MB for the process and 80\.0 MB for 4 worker threads: at least 17\d MB, got 100 MB: raise memory, or lower workers, patch size/,
    );
  });

  it("of a whole process counts the mask and the copies of normalize, the pages of a cache, and patches that reach beyond their case", async () => {
    const graphOf = (make: () => ReturnType<typeof normalize>, isCached: boolean, edge: number) => (flow: Observable<CaseItem>) =>
      (isCached ? flow.pipe(cached(load(), make(), { folder: join(root, "none") })) : flow.pipe(load(), make())).pipe(
        patch({ size: [edge, edge, edge] }),
        batch({ size: 1 }),
      );
    const processOf = async (make: () => ReturnType<typeof normalize>, isCached = false, edge = 8) =>
      (await plan(graphOf(make, isCached, edge), 400 * MB, { process: { threads: 1 } })).process!;
    const voxels = 20 * 40 * 30;
    const { each } = await processOf(() => normalize());
    expect((await processOf(() => normalize({ foreground: { above: 0 } }))).each - each).toBe(voxels);
    expect((await processOf(() => normalize({ mode: "percentile", foreground: { above: 0 } }))).each - each).toBe(voxels + 4 * voxels);

    const plain = await processOf(() => normalize());
    const beyond = await processOf(() => normalize(), false, 64);
    expect(beyond.bytes - plain.bytes).toBe(64 ** 3 * (4 + 2));

    const stored = await processOf(() => normalize(), true);
    expect([plain.isMapped, stored.isMapped]).toEqual([false, true]);
    expect(stored.text).toMatch(/ and a seventeenth of the rest, at least 16\.0 MB, for pages of the cache$/);
    const least = await plan(graphOf(normalize, true, 8), 160 * MB, { process: { threads: 1 } });
    const pool = least.voxels + 16 * MB + stored.bytes;
    expect(pool).toBeLessThanOrEqual(1.1 * 160 * MB);
    expect(pool).toBeGreaterThan(1.1 * 160 * MB - 4096);
  });

  it("of a whole process names the least budget that is enough, with pages of a cache and without", async () => {
    const bytes = fc.integer({ min: 1, max: 2 ** 36 });
    fc.assert(
      fc.property(bytes, bytes, fc.boolean(), (voxels, taken, isMapped) => {
        const beside = { bytes: taken, isMapped };
        const least = withVoxels(voxels, beside);
        return mostBytes(least, beside) >= voxels && mostBytes(least - 16, beside) < voxels;
      }),
      { numRuns: 2_000 },
    );
    for (const edge of [7, 8, 9, 10, 11]) {
      const graph = (flow: Observable<CaseItem>) =>
        flow.pipe(cached(load(), { folder: join(root, "none") }), patch({ size: [edge, 40, 30] }), batch({ size: 2 }));
      const { least } = await plan(graph, 1024 * MB, { process: { threads: 1 } });
      expect((await plan(graph, least, { process: { threads: 1 } })).least).toBe(least);
    }
  });

  it("leaves a case that cannot be opened to the run", async () => {
    const broken = [{ id: "gone", images: [join(root, "gone.nii.gz")] }, ...refs];
    expect((await plan((flow) => flow.pipe(load(), batch({ size: 1 })), 64 * MB, { refs: broken })).largestCase!.id).toMatch(/^case_/);
  });
});
