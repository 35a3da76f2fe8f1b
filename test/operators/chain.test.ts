import { map } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/core/batch.js";
import type { TaskRunner } from "../../src/core/run-context.js";
import type { Sample } from "../../src/core/sample.js";
import { SlabPool } from "../../src/core/slab-pool.js";
import type { Volume } from "../../src/core/volume.js";
import {
  augment,
  batch,
  cases,
  clip,
  inPlacePlan,
  load,
  normalize,
  patch,
  resample,
  shuffle,
  skipBlank,
  transform,
} from "../../src/operators/index.js";
import { run, to } from "../../src/streams/index.js";
import { inlineTaskPool } from "../../src/workers/inline-task-pool.js";
import { type RunStepsPayload, runSteps } from "../../src/workers/tasks/run-steps.js";
import { collect, contextOf, refsOf, syntheticCase, syntheticData } from "./run-graph.js";

const data = syntheticData(5);

/** Keeps what it is asked to run. */
function recordingTasks(): TaskRunner & { readonly payloads: RunStepsPayload[] } {
  const inner = inlineTaskPool();
  const payloads: RunStepsPayload[] = [];
  return {
    concurrency: 2,
    payloads,
    run(task, payload, options) {
      payloads.push(payload as RunStepsPayload);
      return inner.run(task, payload, options);
    },
  };
}

describe("a graph of operators", () => {
  it("delivers batches and gives all memory back", async () => {
    const context = contextOf();
    const flow = cases(data, { refs: refsOf(5), epochs: 2 }).pipe(
      load(),
      clip({ min: -79, max: 304 }),
      resample({ spacing: [3, 2, 2] }),
      normalize(),
      patch({ size: [8, 8, 8], perCase: 3, margin: 1 }),
      skipBlank(),
      augment({ mirror: true, probability: 0.5, elastic: { sigma: [1.5, 2] } }),
      shuffle({ window: 4 }),
      batch({ size: 2 }),
    );
    const batches = await collect(flow, context, ({ image, label }: Batch) => ({
      shape: image.shape,
      label: label!.shape,
      sum: image.data.reduce((a, x) => a + x, 0),
    }));
    expect(batches.length).toBeGreaterThan(8);
    for (const { shape, label, sum } of batches) {
      expect(shape.slice(1)).toEqual([8, 8, 8, 1]);
      expect(label).toEqual(shape);
      expect(Number.isFinite(sum)).toBe(true);
    }
    expect(context.pool.bytesInUse).toBe(0);
  });

  it("fuses adjacent operators into one stage and one task per case", async () => {
    const tasks = recordingTasks();
    const flow = cases(data, { refs: refsOf(5) }).pipe(
      load(),
      clip({ min: 0, max: 1 }),
      resample({ spacing: [3, 2, 2] }),
      normalize(),
      to(() => undefined),
    );
    const job = run("fused", [flow], { context: contextOf({ tasks }) });
    await job.done;
    expect(job.reports().map(({ name }) => name)).toContain("load+clip+resample+normalize");
    expect(tasks.payloads).toHaveLength(5);
    expect(tasks.payloads[0]!.calls.map(({ name }) => name)).toEqual(["clip", "resample", "normalize"]);
  });

  it("does not fuse over a plain RxJS operator, which sees what the first part made", async () => {
    const tasks = recordingTasks();
    const seen: number[] = [];
    const flow = cases(data, { refs: refsOf(2) }).pipe(
      load(),
      clip({ min: 0, max: 50 }),
      map((sample: Sample) => {
        seen.push(Math.max(...(sample.image as Volume<"float32">).data));
        return sample;
      }),
      normalize({ mode: "min-max" }),
    );
    expect(await collect(flow, contextOf({ tasks }), ({ image }) => Math.max(...(image as Volume<"float32">).data))).toEqual([
      expect.closeTo(1, 5),
      expect.closeTo(1, 5),
    ]);
    expect(seen).toEqual([50, 50]);
    expect(tasks.payloads).toHaveLength(4);
  });

  it("rewrites in place what nobody else holds: clip and normalize take no memory of their own", async () => {
    const context = contextOf();
    await collect(cases(data, { refs: refsOf(1) }).pipe(load(), clip({ min: 0, max: 50 }), normalize()), context, () => 0);
    const voxels = 12 * 20 * 16;
    expect(context.pool.peakBytes).toBe(Math.ceil((voxels * 4) / 4096) * 4096 + Math.ceil(voxels / 4096) * 4096);
  });

  it("one flow in two branches: what one rewrites the other does not see", async () => {
    const context = contextOf();
    const kept: number[] = [];
    let first: Sample | undefined;
    const flow = cases(data, { refs: refsOf(1) }).pipe(
      load(),
      map((sample: Sample) => {
        sample.image.retain();
        first = sample;
        return sample;
      }),
      clip({ min: 0, max: 1 }),
    );
    await collect(flow, context, () => kept.push(Math.max(...(first!.image as Volume<"float32">).data)));
    expect(kept[0]).toBeGreaterThan(50);
    first!.image.release();
    expect(context.pool.bytesInUse).toBe(0);
  });

  it("a task that overwrites its input is not run a second time after its thread died", () => {
    const touched = new Int32Array(new SharedArrayBuffer(4));
    const payload: RunStepsPayload = { calls: [], arrays: [], touched };
    runSteps(payload, { stop: () => false });
    expect(() => runSteps(payload, { stop: () => false })).toThrow(/a worker thread died while it overwrote a sample/);
  });

  it("a case larger than the memory budget is an error that says both", async () => {
    const pool = new SlabPool({ budget: 16 * 1024 });
    await expect(collect(cases(data, { refs: refsOf(1) }).pipe(load()), contextOf({ pool }), () => 0)).rejects.toMatchObject({
      code: "ERR_MEMORY",
      message: expect.stringMatching(
        /an item of 18\.\d KB must fit the memory budget of 16\.0 KB less 4\.0 KB for later stages; raise memory, .* \(sample case_00\)/,
      ),
    });
  });

  it("goes on when memory is short: loading waits for patches, patches for batches", async () => {
    // One case of 19 KB, patches of 2.5 KB, batches of 5 KB.
    const pool = new SlabPool({ budget: 96 * 1024 });
    const flow = cases(data, { refs: refsOf(5), epochs: 4 }).pipe(
      load(),
      patch({ size: [8, 8, 8], perCase: 6 }),
      shuffle({ window: 3 }),
      batch({ size: 2 }),
    );
    expect(await collect(flow, contextOf({ pool }), ({ parts }) => parts.length)).toEqual(new Array(60).fill(2));
    expect(pool.bytesInUse).toBe(0);
  });

  it("a shuffle window that can never fill for want of memory is an error, and no hang", async () => {
    const pool = new SlabPool({ budget: 128 * 1024 });
    const flow = cases(data, { refs: refsOf(5), epochs: 4 }).pipe(
      load(),
      patch({ size: [8, 8, 8], perCase: 6 }),
      shuffle({ window: 30 }),
      batch({ size: 2 }),
    );
    await expect(collect(flow, contextOf({ pool }), () => 0)).rejects.toMatchObject({
      code: "ERR_MEMORY",
      message: expect.stringMatching(/waits for .* of memory/),
    });
    expect(pool.bytesInUse).toBe(0);
  });

  it("an operator of one's own may draw, by the run's seed", async () => {
    const shift = () =>
      transform({
        name: "shift",
        parameters: { by: 10 },
        draw: (random) => ({ by: random.uniform(0, 10) }),
        step: {
          plan: (layout) => inPlacePlan(layout),
          apply: ({ image, params }) => {
            image!.input.forEach((x, i) => {
              image!.output[i] = x + params.by;
            });
          },
        },
      });
    const draw = async (seed: number) =>
      collect(
        cases(data, { refs: refsOf(3), order: "sorted" }).pipe(load(), shift()),
        contextOf({ seed }),
        ({ history }) => (history.at(-1)!.params as { by: number }).by,
      );
    const first = await draw(1);
    expect(new Set(first).size).toBe(3);
    expect(await draw(1)).toEqual(first);
    expect(await draw(2)).not.toEqual(first);
  });
});

describe("batch", () => {
  it("keeps the short batch at the end of each epoch, or drops it in training only", async () => {
    const sizes = async (incomplete: "keep" | "drop", mode: "training" | "validation") =>
      collect(
        cases(data, { refs: refsOf(5), epochs: 2 }).pipe(load(), batch({ size: 2, incomplete })),
        contextOf({ mode }),
        ({ parts }) => parts.length,
      );
    expect(await sizes("keep", "training")).toEqual([2, 2, 1, 2, 2, 1]);
    expect(await sizes("drop", "training")).toEqual([2, 2, 2, 2]);
    expect(await sizes("drop", "validation")).toEqual([2, 2, 1, 2, 2, 1]);
  });

  it("refuses samples of different shapes, and names them", async () => {
    const mixed = syntheticData(2, undefined, undefined);
    const shapes = { case_00: [4, 6, 8, 1], case_01: [4, 6, 9, 1] } as const;
    const flow = cases(
      { ...mixed, read: async ({ id }) => syntheticCase(id, shapes[id as keyof typeof shapes]) },
      { refs: refsOf(2), order: "sorted" },
    ).pipe(load(), batch({ size: 2 }));
    await expect(collect(flow, contextOf(), () => 0)).rejects.toMatchObject({
      code: "ERR_SHAPE",
      message: "batch: samples of a batch must have one shape, got 4x6x8x1 of case_00 and 4x6x9x1; cut patches first (sample case_01)",
    });
  });
});
