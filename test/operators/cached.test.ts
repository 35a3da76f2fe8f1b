import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { map } from "rxjs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { cacheInfo, closeCaseStores, StoredVolume } from "../../src/cache/index.js";
import type { CaseRef, DataSet } from "../../src/core/case.js";
import type { RunContext, TaskRunner } from "../../src/core/run-context.js";
import type { Sample } from "../../src/core/sample.js";
import type { Volume } from "../../src/core/volume.js";
import { writePhantoms } from "../../src/io/index.js";
import { augment, batch, cached, cases, clip, load, normalize, patch, shuffle, transform } from "../../src/operators/index.js";
import type { Position } from "../../src/streams/index.js";
import { run, to } from "../../src/streams/index.js";
import { inlineTaskPool } from "../../src/workers/inline-task-pool.js";
import { inPlacePlan } from "../../src/workers/steps/step.js";
import { collect, contextOf, refsOf, syntheticData } from "./run-graph.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-cached-"));
let count = 0;
const folder = () => join(root, `cache-${count++}`);
const ref = (index: number): CaseRef => ({
  id: `case_0000${index}`,
  images: [join(root, "data", `case_0000${index}`, "imaging.nii.gz")],
  label: join(root, "data", `case_0000${index}`, "segmentation.nii.gz"),
});
const data: DataSet = { classes: ["background", "kidney", "tumor"], channels: 1, list: async () => [] };

beforeAll(async () => {
  await writePhantoms({ folder: join(root, "data"), cases: 3, shape: [12, 24, 20], seed: 2 });
});
afterEach(() => closeCaseStores());
afterAll(() => rmSync(root, { recursive: true }));

/** Counts the tasks that make cases. */
function counting(): TaskRunner & { readonly made: () => number } {
  const inner = inlineTaskPool();
  let made = 0;
  return {
    concurrency: 2,
    made: () => made,
    run(task, payload, options) {
      if (task === "runSteps") made++;
      return inner.run(task, payload, options);
    },
  };
}

async function make(path: string, refs: readonly CaseRef[], { epochs = 1, options = {}, mode = "training", window = { min: -100, max: 300 } } = {}) {
  const tasks = counting();
  const context = contextOf({ tasks, mode: mode as RunContext["mode"] });
  const flow = cases(data, { refs, epochs, order: "sorted" }).pipe(cached(load(), clip(window), normalize(), { folder: path, ...options }));
  const seen = await collect(flow, context, (sample: Sample) => ({
    id: sample.id,
    epoch: sample.epoch,
    history: sample.history,
    source: sample.source,
    isStored: sample.image instanceof StoredVolume,
    voxels: whole(sample),
  }));
  expect(context.pool.bytesInUse).toBe(0);
  return { seen, made: tasks.made() };
}

function whole({ image }: Sample): Float32Array {
  if (!image.readRegion) return (image as Volume<"float32">).data.slice();
  const [depth, height, width, channels] = image.shape;
  const voxels = new Float32Array(depth * height * width * channels);
  image.readRegion([0, 0, 0], [depth, height, width], voxels);
  return voxels;
}

describe("cached", () => {
  it("makes each case once, for all epochs and later runs, with the ids, order, history and voxels of the operators themselves", async () => {
    const path = folder();
    const refs = [ref(0), ref(1), ref(2)];
    const plain = await collect(
      cases(data, { refs, order: "sorted" }).pipe(load(), clip({ min: -100, max: 300 }), normalize()),
      contextOf(),
      (sample: Sample) => ({ id: sample.id, history: sample.history, source: sample.source, voxels: whole(sample) }),
    );
    const cold = await make(path, refs, { epochs: 2 });
    expect(cold.made).toBe(3);
    expect(cold.seen.map(({ id, epoch }) => `${epoch} ${id}`)).toEqual([0, 1].flatMap((epoch) => refs.map(({ id }) => `${epoch} ${id}`)));
    for (const [i, { id, history, source, voxels, isStored }] of cold.seen.entries()) {
      // The commit record is JSON, which knows no -0.
      const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
      expect(json({ id, history, source })).toEqual(json({ ...plain[i % 3], voxels: undefined }));
      expect(voxels).toEqual(plain[i % 3]!.voxels);
      expect(isStored).toBe(true);
    }
    const warm = await make(path, refs);
    expect(warm.made).toBe(0);
    expect(warm.seen).toEqual(cold.seen.slice(0, 3));
  });

  it("makes a case again when an option or a source byte changes, and not when only time or place do", async () => {
    const path = folder();
    const copy = join(root, "copy");
    mkdirSync(copy, { recursive: true });
    const moved: CaseRef = { id: "moved", images: [join(copy, "image.nii.gz")], label: join(copy, "label.nii.gz") };
    copyFileSync(ref(0).images[0]!, moved.images[0]!);
    copyFileSync(ref(0).label!, moved.label!);
    expect((await make(path, [ref(0)])).made).toBe(1);
    expect((await make(path, [ref(0)], { window: { min: -100, max: 301 } })).made).toBe(1);
    const other = await make(path, [moved]);
    expect(other.made).toBe(0);
    expect(other.seen[0]).toMatchObject({ id: "moved", source: { path: moved.images[0] } });
    utimesSync(moved.images[0]!, new Date(), new Date());
    expect((await make(path, [moved])).made).toBe(0);
    // A gzip member more: other bytes, and readers that know members read the same voxels.
    copyFileSync(ref(1).images[0]!, moved.images[0]!);
    copyFileSync(ref(1).label!, moved.label!);
    expect((await make(path, [moved])).made).toBe(1);
    appendFileSync(moved.label!, "");
    expect((await make(path, [moved])).made).toBe(0);
    expect((await make(path, [moved], { mode: "prediction" })).made).toBe(1);
  });

  it("two epochs that need the same case at once make it once", async () => {
    const { made, seen } = await make(folder(), [ref(0)], { epochs: 3 });
    expect([made, seen.length]).toEqual([1, 3]);
  });

  it("beyond its quota cases pass through memory, and are the same", async () => {
    const path = folder();
    const { made, seen } = await make(path, [ref(0), ref(1), ref(2)], { epochs: 2, options: { quota: 12 * 24 * 20 * 5 * 2 + 100 } });
    expect(seen.map(({ isStored }) => isStored)).toEqual([true, true, false, true, true, false]);
    expect(made).toBe(4);
    expect(cacheInfo(path).cases).toBe(2);
    expect(seen[5]!.voxels).toEqual(seen[2]!.voxels);
  });

  it("works with custom readers, by the content of their arrays", async () => {
    const path = folder();
    const custom = syntheticData(2);
    const tasks = counting();
    for (let pass = 0; pass < 2; pass++) {
      await collect(cases(custom, { refs: refsOf(2) }).pipe(cached(load(), normalize(), { folder: path })), contextOf({ tasks }), () => 0);
      expect(tasks.made()).toBe(2);
    }
  });

  it("whole cached cases go through further operators", async () => {
    const path = folder();
    const flow = () => cases(data, { refs: [ref(0)] }).pipe(cached(load(), { folder: path }), clip({ min: 0, max: 100 }), batch({ size: 1 }));
    const plain = cases(data, { refs: [ref(0)] }).pipe(load(), clip({ min: 0, max: 100 }), batch({ size: 1 }));
    const context = contextOf();
    const [expected] = await collect(plain, context, ({ image, label }) => [image.data.slice(), label!.data.slice()]);
    expect(await collect(flow(), context, ({ image, label }) => [image.data.slice(), label!.data.slice()])).toEqual([expected]);
    expect(context.pool.bytesInUse).toBe(0);
  });

  it("a case that cannot be made carries its name, and nothing of it is stored", async () => {
    const path = folder();
    await expect(make(path, [{ ...ref(0), label: ref(1).label! }])).rejects.toMatchObject({ code: "ERR_GEOMETRY", sampleId: "case_00000" });
    await expect(make(path, [{ ...ref(0), images: [join(root, "nowhere.nii.gz")] }])).rejects.toMatchObject({ code: "ERR_READ" });
    expect(cacheInfo(path).cases).toBe(0);
  });

  it("is refused around random operators, stream stages, functions of one's own, and without load", () => {
    const own = transform({ name: "own", parameters: {}, step: { plan: (layout) => inPlacePlan(layout), apply: () => undefined } });
    expect(() => cached(load(), augment())).toThrow(
      'cached: each operator must be deterministic; put random ones behind cached(...), or end it with batch to prepare batches, got "augment"',
    );
    expect(() => cached(load(), own)).toThrow(/built in, or a transform with module.*got "own"/);
    expect(() => cached(load(), shuffle<Sample>({ window: 2 }))).toThrow(/each further operator must be a 1:1 operator such as clip/);
    expect(() =>
      cached(
        load(),
        map((sample: Sample) => sample),
      ),
    ).toThrow(/each further operator must be/);
    expect(() => cached(clip({ min: 0, max: 1 }) as never)).toThrow('cached: the first operator must be load(), got "clip"');
    expect(() => cached(load(), { folder: "" })).toThrow('cached: folder must be a path, got ""');
    expect(() => cached(load(), { quota: "much" })).toThrow(/quota must be a size such as/);
  });

  it("a run resumed at any position delivers exactly the rest, with and without the cache", async () => {
    const path = folder();
    const refs = [ref(0), ref(1), ref(2)];
    const operators = [load(), clip({ min: -100, max: 300 }), normalize()] as const;
    const [first, a, b] = operators;
    const sourceOf = (isCached: boolean) => {
      const flow = cases(data, { refs, epochs: 2 });
      return isCached ? flow.pipe(cached(first, a, b, { folder: path })) : flow.pipe(first, a, b);
    };
    const through = async (isCached: boolean, from: Position = {}) => {
      const batches: string[] = [];
      const positions: Position[] = [];
      const flow = sourceOf(isCached).pipe(
        patch({ size: [6, 10, 10], perCase: 3 }),
        augment({ mirror: true, rotation: false, scaling: false }),
        shuffle({ window: 4 }),
        batch({ size: 2 }),
      );
      const job = run(
        "resume",
        [flow.pipe(to(({ parts, image }) => void batches.push(JSON.stringify([parts, image.data.reduce((x, y) => x + y, 0)]))))],
        { context: contextOf(), from },
      );
      await job.done;
      positions.push(job.position);
      return { batches, positions };
    };
    const positionsOf = async (isCached: boolean) => {
      const positions: Position[] = [];
      const flow = sourceOf(isCached).pipe(
        patch({ size: [6, 10, 10], perCase: 3 }),
        augment({ mirror: true, rotation: false, scaling: false }),
        shuffle({ window: 4 }),
        batch({ size: 2 }),
      );
      await new Promise<void>((resolve, reject) => {
        const job = run(
          "positions",
          [
            flow.pipe(
              to(() => undefined),
              map((position) => {
                positions.push(position);
                return position;
              }),
            ),
          ],
          { context: contextOf() },
        );
        job.done.then(() => resolve(), reject);
      });
      return positions;
    };
    const { batches } = await through(false);
    const [plain, stored] = [await positionsOf(false), await positionsOf(true)];
    expect(stored).toEqual(plain);
    expect(plain).toHaveLength(batches.length);
    for (const [done, position] of plain.entries()) {
      if (done % 3 !== 1) continue;
      const from = JSON.parse(JSON.stringify(position)) as Position;
      expect((await through(false, from)).batches).toEqual(batches.slice(done + 1));
      expect((await through(true, from)).batches).toEqual(batches.slice(done + 1));
    }
  });
});
