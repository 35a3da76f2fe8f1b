import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DataSet } from "../../src/core/case.js";
import { tverskyLoss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { augment, batch, load, patch, prefetch, shuffle } from "../../src/operators/index.js";
import { mapAsync } from "../../src/streams/index.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import type { TrainingBatch } from "../../src/training/hosting/batch-source.js";
import type { GraphSettings, MemoryNote, SkipNote, StageNote } from "../../src/training/hosting/graph-messages.js";
import { localGraphHost } from "../../src/training/hosting/local-graph-host.js";
import { train as trainRun } from "../../src/training/train.js";
import { tinyCase, tinyData } from "./tiny-case.js";

const SETTINGS: GraphSettings = { seed: 3, memoryBytes: 64 * 1024 ** 2, workers: 1, onError: "fail", validates: false };
const ids = (count: number): string[] => Array.from({ length: count }, (_, k) => `case_${k}`);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function configOf(data: DataSet, slow = 0): TrainingConfig {
  return {
    data,
    graph: ({ cases }) =>
      cases.pipe(
        mapAsync(
          async (item) => {
            await sleep(slow);
            return item;
          },
          { name: "fetch" },
        ),
        load(),
        patch({ size: [1, 8, 8], perCase: 2 }),
        augment({ mirror: true }),
        shuffle({ window: 4 }),
        batch({ size: 2 }),
        prefetch({ capacity: 1 }),
      ),
    model: unet({ filters: 2, depth: 1 }),
    loss: tverskyLoss(),
    training: { epochs: 1 },
  };
}

/** Runs a graph to its end as a trainer would; batches as text. */
async function train(
  config: TrainingConfig,
  count: number,
  settings: Partial<GraphSettings> = {},
  epochs = 1,
  stepMs = 0,
  validationIds: readonly string[] = [],
) {
  const skips: SkipNote[] = [];
  const plans: MemoryNote[] = [];
  const knobs = new Set<string>();
  let last: StageNote["stages"] = [];
  const host = localGraphHost(
    config,
    { ...SETTINGS, ...settings },
    {
      skip: (note) => void skips.push(note),
      memory: (note) => void plans.push(note),
      stages: ({ stages }: StageNote) => {
        last = stages;
        for (const stage of stages) knobs.add(`${stage.name} ${JSON.stringify(stage.knobs)}`);
      },
    },
  );
  const batches: string[] = [];
  let error: unknown;
  try {
    const source = await host.open({ mode: "training", ids: ids(count), epochs, validationIds });
    try {
      for (let next: TrainingBatch | undefined = await source.next(); next; next = await source.next()) {
        batches.push(JSON.stringify([next.parts, [...next.image.data], [...next.label!.data], next.position]));
        next.release();
        await sleep(stepMs);
      }
    } finally {
      await source.close();
    }
  } catch (fault) {
    error = fault;
  } finally {
    await host.close();
  }
  return { batches, skips, plans, knobs, last, error };
}

/** Cases of which some fail a few times, or always, with a system error or another. */
function flaky(
  count: number,
  faults: Readonly<Record<string, { readonly times: number; readonly code?: string }>>,
): DataSet & { readonly reads: Map<string, number> } {
  const reads = new Map<string, number>();
  return {
    ...tinyData(count),
    reads,
    read: async ({ id }) => {
      const before = reads.get(id) ?? 0;
      reads.set(id, before + 1);
      const fault = faults[id];
      if (fault && before < fault.times) throw Object.assign(new Error(`cannot read ${id}`), fault.code === undefined ? {} : { code: fault.code });
      return tinyCase(id);
    },
  };
}

describe("autotuning in training", () => {
  it("turns knobs, and the batches are the same with and without it", { timeout: 300_000 }, async () => {
    const config = configOf(tinyData(24), 60);
    const tuned = await train(config, 24, {}, 2);
    const fixed = await train(config, 24, { autotune: false }, 2);
    expect(tuned.batches).toEqual(fixed.batches);
    expect(tuned.batches.length).toBe(48);
    expect([...fixed.knobs].filter((text) => text.startsWith("fetch "))).toEqual(['fetch {"concurrency":1,"capacity":1}']);
    expect([...tuned.knobs].filter((text) => text.startsWith("fetch ")).length).toBeGreaterThan(1);
  });
});

describe("the stages of a training", () => {
  it("count items and the bytes of their voxels", async () => {
    const { last, batches } = await train(configOf(tinyData(4)), 4);
    expect(batches.length).toBe(4);
    const told = Object.fromEntries(last.map(({ name, in: taken, out, bytesIn, bytesOut }) => [name, [taken, out, bytesIn, bytesOut]]));
    // Cases of 16x16, patches of 8x8: float32 image and uint8 label.
    const [patch, case_] = [64 * 5, 256 * 5];
    expect(told).toMatchObject({
      load: [4, 4, 0, 4 * case_],
      shuffle: [8, 8, 8 * patch, 8 * patch],
      batch: [8, 4, 8 * patch, 8 * patch],
      trainer: [4, 0, 8 * patch, 0],
    });
  });
});

describe("the memory plan of a training", () => {
  it("is told once per graph, before the first batch", async () => {
    const { plans } = await train(configOf(tinyData(4)), 4);
    // A worker thread takes 20 MB, of which 6.4 MB are a tenth beyond the budget.
    expect(plans).toMatchObject([
      {
        graph: "training",
        budget: expect.any(Number),
        text: expect.stringMatching(/^50\.4 MB for training: .*patch 1 x.*; 64\.0 MB in all, with 20\.0 MB for 1 worker thread$/),
      },
    ]);
  });

  it("refuses a budget that its worker threads use up, with the numbers", async () => {
    const data = flaky(4, {});
    const { error } = await train(configOf(data), 4, { workers: 4 });
    expect(error).toMatchObject({
      code: "ERR_MEMORY",
      message:
        "training: the memory budget must hold 80.0 MB for 4 worker threads, and voxels, got 64.0 MB: raise memory, or lower workers or patch size",
    });
    expect(data.reads.size).toBe(0);
  });

  it("takes fewer worker threads than it chose itself where they would use the budget up, and says so in one line", async () => {
    const data = flaky(4, {});
    const chosen = await train(configOf(data), 4, { workers: 4, fewerWorkers: true });
    expect(chosen.error).toBeUndefined();
    expect(chosen.plans).toHaveLength(1);
    // Of 64 MB, 110 % may be resident: three threads leave 10.4 MB.
    expect(chosen.plans[0]!.text).toMatch(
      /^10\.4 MB for training: .*; 64\.0 MB in all, with 60\.0 MB for 3 worker threads; 3 instead of 4 worker threads, which is what this memory holds$/,
    );
    const given = await train(configOf(flaky(4, {})), 4, { workers: 3 });
    expect(given.batches).toEqual(chosen.batches);
    const enough = await train(configOf(flaky(4, {})), 4, { workers: 2, fewerWorkers: true });
    expect(enough.plans[0]!.text).toMatch(/with 40\.0 MB for 2 worker threads$/);
  });

  it("takes no more worker threads than leave what validation needs, and refuses only what one thread is too many for", async () => {
    // A quarter of what is left is for validation: 7.6 MB with two threads, 2.6 with three. A batch and the two patches that it is made of take 5.0.
    const graph: TrainingConfig["graph"] = ({ cases }) => cases.pipe(load(), patch({ size: [64, 64, 64] }), batch({ size: 2 }));
    const config = { ...configOf(flaky(4, {})), validation: { graph } };
    const run = (memoryBytes: number) => train(config, 4, { memoryBytes, workers: 4, fewerWorkers: true, validates: true }, 1, 0, ids(4));
    const chosen = await run(64 * 1024 ** 2);
    expect(chosen.error).toBeUndefined();
    expect(chosen.plans.map((plan) => plan.graph)).toEqual(["training", "validation"]);
    for (const { text } of chosen.plans)
      expect(text).toMatch(/with 40\.0 MB for 2 worker threads; 2 instead of 4 worker threads, which is what this memory holds$/);
    const { error } = await run(19 * 1024 ** 2);
    expect(error).toMatchObject({ code: "ERR_MEMORY", message: expect.stringMatching(/^validation: the memory budget must hold a batch of 2 /) });
  });

  it("refuses a budget that one batch does not fit, before any case is read", async () => {
    const data = flaky(4, {});
    const { error } = await train(configOf(data), 4, { memoryBytes: 9_000, workers: 0 });
    expect(error).toMatchObject({
      code: "ERR_MEMORY",
      message: expect.stringMatching(/the memory budget must hold a batch of 2 .* got 8\.8 KB: raise memory/),
    });
    expect(data.reads.size).toBe(0);
  });
});

describe("memory that validation needs", () => {
  it("is looked at before training begins", async () => {
    const data = flaky(4, {});
    const config: TrainingConfig = {
      ...configOf(data),
      // A quarter of the memory is kept for it.
      validation: { graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 64, 64] }), batch({ size: 4 })) },
    };
    const quiet = { skip: () => undefined, stages: () => undefined, memory: () => undefined };
    const host = localGraphHost(config, { ...SETTINGS, memoryBytes: 400_000, workers: 0, validates: true }, quiet);
    const opened = host.open({ mode: "training", ids: ids(3), epochs: 1, validationIds: ["case_3"] });
    await expect(opened).rejects.toMatchObject({
      code: "ERR_MEMORY",
      message: expect.stringMatching(/^validation: the memory budget must hold a batch of 4 .* got 97\.7 KB: raise memory/),
    });
    expect(data.reads.size).toBe(0);
    await host.close();
  });
});

describe("samples that fail", () => {
  it("are tried again when the fault may pass, and nothing is lost", async () => {
    const whole = await train(configOf(tinyData(4)), 4);
    const data = flaky(4, { case_1: { times: 2, code: "EIO" }, case_3: { times: 1, code: "ESTALE" } });
    const again = await train(configOf(data), 4);
    expect(again.error).toBeUndefined();
    expect(again.batches).toEqual(whole.batches);
    expect(Object.fromEntries(data.reads)).toEqual({ case_0: 1, case_1: 3, case_2: 1, case_3: 2 });
  });

  it("are not tried again when it cannot, and end the run with their name", async () => {
    const data = flaky(4, { case_1: { times: 9, code: "ENOENT" } });
    const { error } = await train(configOf(data), 4);
    expect(error).toMatchObject({ sampleId: "case_1", message: expect.stringContaining("cannot read case_1") });
    expect(data.reads.get("case_1")).toBe(1);
  });

  it("go on failing after three tries: then they are left out, with stage and stack", async () => {
    const data = flaky(4, { case_1: { times: 9, code: "EIO" } });
    const { error, skips, batches } = await train(configOf(data), 4, { onError: "skip" });
    expect(error).toBeUndefined();
    expect(data.reads.get("case_1")).toBe(3);
    expect(skips).toMatchObject([
      { id: "case_1", stage: "headers", message: expect.stringContaining("cannot read case_1"), stack: expect.stringContaining("graph-faults") },
    ]);
    expect(batches.join().match(/"id":"case_1"/)).toBeNull();
  });

  it("end the run when they are more than the skip budget; the same one of two epochs counts once", async () => {
    const faults = { case_1: { times: 99 }, case_4: { times: 99 } };
    const data = flaky(8, faults);
    const within = await train(configOf(data), 8, { onError: "skip", skipBudget: 2 }, 3);
    expect(within.error).toBeUndefined();
    // Told once, and not tried again in the later epochs.
    expect(within.skips.map(({ id, isQuarantined }) => [id, isQuarantined]).sort()).toEqual([
      ["case_1", true],
      ["case_4", true],
    ]);
    expect(Object.fromEntries(data.reads)).toEqual({ ...Object.fromEntries(ids(8).map((id) => [id, 3])), case_1: 1, case_4: 1 });
    const beyond = await train(configOf(flaky(8, { ...faults, case_6: { times: 99 } })), 8, { onError: "skip", skipBudget: 2 }, 3);
    expect(beyond.error).toMatchObject({
      code: "ERR_DATA",
      message: expect.stringMatching(
        /at most 2 samples may fail \(skipBudget\), but 3 did: case_\d, case_\d, case_\d; the last one because: .*cannot read case_/,
      ),
    });
  });

  it("stay left out when the run is resumed, count against its budget, and the batches are those of a run without interruption", async () => {
    const root = mkdtempSync(join(tmpdir(), "voxstream-quarantine-"));
    const config = (name: string, data: DataSet, training: Partial<TrainingConfig["training"]>): TrainingConfig => ({
      ...configOf(data),
      name,
      runs: root,
      training: { epochs: 4, learningRate: 1e-2, ...training },
      onError: "skip",
      skipBudget: 1,
      workers: 0,
      memory: "64MB",
    });
    const losses = (folder: string): string => readFileSync(join(folder, "history.tsv"), "utf8");
    const skips = (folder: string): string[] =>
      readFileSync(join(folder, "events.jsonl"), "utf8")
        .split("\n")
        .flatMap((line) => (line.includes('"type":"skip"') ? [(JSON.parse(line) as { message: string }).message] : []));
    const faults = { case_1: { times: 99 } };
    const whole = await trainRun(config("whole", flaky(6, faults), {}));
    expect(skips(whole.folder)).toEqual([expect.stringContaining("cannot read case_1")]);

    await trainRun(config("part", flaky(6, faults), { epochs: 2 }));
    // It could be read now; the run goes on without it all the same.
    const healed = flaky(6, {});
    const part = await trainRun(config("part", healed, {}), { resume: true });
    expect(losses(part.folder)).toBe(losses(whole.folder));
    expect(healed.reads.get("case_1")).toBeUndefined();
    expect(skips(part.folder)).toEqual([
      expect.stringContaining("cannot read case_1"),
      expect.stringMatching(/left out as it failed before: .*cannot read case_1/),
    ]);

    // The one of before is in the budget.
    await trainRun(config("over", flaky(6, faults), { epochs: 2 }));
    await expect(trainRun(config("over", flaky(6, { case_2: { times: 99 } }), {}), { resume: true })).rejects.toMatchObject({
      code: "ERR_DATA",
      message: expect.stringContaining("at most 1 samples may fail (skipBudget), but 2 did"),
    });
    rmSync(root, { recursive: true });
  });
});
