import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BatchSource, GraphHost, TrainingBatch } from "../../src/training/hosting/batch-source.js";
import type { GraphSettings, MemoryNote, SkipNote, StageNote } from "../../src/training/hosting/graph-messages.js";
import { threadGraphHost } from "../../src/training/hosting/thread-graph-host.js";
import { tinyConfigFile } from "./tiny-config-file.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-hosts-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SETTINGS: GraphSettings = { seed: 3, memoryBytes: 256 * 1024 ** 2, workers: 1, onError: "fail", validates: true };
const ids = ["case_0", "case_1", "case_2", "case_3"];

function listener() {
  const notes: StageNote[] = [];
  const skips: SkipNote[] = [];
  const plans: MemoryNote[] = [];
  return {
    notes,
    skips,
    plans,
    memory: (note: MemoryNote) => void plans.push(note),
    stages: (note: StageNote) => void notes.push(note),
    skip: (note: SkipNote) => void skips.push(note),
  };
}

/** Both hosts from the compiled library, because the config file uses that copy too. */
async function hosts(path: string, settings = SETTINGS, heard = listener()): Promise<[string, () => Promise<GraphHost>][]> {
  const local = (await import(
    new URL("../../dist/training/hosting/local-graph-host.js", import.meta.url).href
  )) as typeof import("../../src/training/hosting/local-graph-host.js");
  const { loadConfig } = (await import(
    new URL("../../dist/training/config/load-config.js", import.meta.url).href
  )) as typeof import("../../src/training/config/load-config.js");
  return [
    ["local", async () => local.localGraphHost(await loadConfig(path), settings, heard)],
    ["thread", async () => threadGraphHost(path, settings, heard)],
  ];
}

/** A batch as plain values, and its memory back. */
function taken(batch: TrainingBatch) {
  const { image, label, parts, epoch, position } = batch;
  const plain = { image: [...image.data], shape: image.shape, label: [...label!.data], parts, epoch, position };
  batch.release();
  return plain;
}

async function all(source: BatchSource) {
  const batches: ReturnType<typeof taken>[] = [];
  for (let batch = await source.next(); batch; batch = await source.next()) batches.push(taken(batch));
  return batches;
}

describe("graph hosts", () => {
  it("deliver the same batches in a thread as in process, and again from any position", async () => {
    const path = tinyConfigFile(root, { name: "same" });
    const results = [];
    for (const [, start] of await hosts(path)) {
      const host = await start();
      const source = await host.open({ mode: "training", ids, epochs: 2 });
      const batches = await all(source);
      await source.close();
      const middle = Math.floor(batches.length / 2);
      const resumed = await host.open({ mode: "training", ids, epochs: 2, from: batches[middle]!.position });
      expect(await all(resumed)).toEqual(batches.slice(middle + 1));
      await resumed.close();
      await host.close();
      results.push(batches);
    }
    expect(results[0]!.length).toBe(12);
    expect(results[0]!.map(({ epoch }) => epoch)).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
    expect(results[1]).toEqual(results[0]);
  });

  it("send no third batch while the trainer holds two", async () => {
    const path = tinyConfigFile(root, { name: "slots" });
    for (const [, start] of await hosts(path)) {
      const host = await start();
      const source = await host.open({ mode: "training", ids, epochs: 1 });
      const first = await source.next();
      const second = await source.next();
      const third = source.next();
      expect(await Promise.race([third, new Promise((resolve) => setTimeout(resolve, 150, "nothing"))])).toBe("nothing");
      first!.release();
      expect((await third)!.parts.length).toBe(2);
      second!.release();
      await source.close();
      await host.close();
    }
  });

  it("measure the time that the trainer waits", async () => {
    const gate = join(root, "gate");
    const path = tinyConfigFile(root, {
      name: "slow",
      before: `mapAsync(async (item) => { while (!existsSync(${JSON.stringify(gate)})) await wait(2); return item; }, { name: "slow", concurrency: 1 }), `,
    });
    for (const [, start] of await hosts(path)) {
      const host = await start();
      const source = await host.open({ mode: "training", ids, epochs: 1 });
      const asked = performance.now();
      const first = source.next();
      await new Promise((resolve) => setTimeout(resolve, 150));
      writeFileSync(gate, "");
      const batch = await first;
      expect(source.waitMs).toBeGreaterThan(140);
      expect(source.waitMs).toBeLessThanOrEqual(performance.now() - asked);
      // The same case gave more patches, so these come without a wait of that kind; whatever it is, it is counted alone.
      const askedAgain = performance.now();
      await source.next();
      expect(source.waitMs).toBeLessThanOrEqual(performance.now() - askedAgain);
      batch!.release();
      await source.close();
      await host.close();
      rmSync(gate);
    }
  });

  it("report their stages, from the cases to the trainer", async () => {
    const heard = listener();
    for (const [, start] of await hosts(tinyConfigFile(root, { name: "stages" }), SETTINGS, heard)) {
      heard.notes.length = 0;
      const host = await start();
      const source = await host.open({ mode: "training", ids, epochs: 1 });
      await all(source);
      await expect.poll(() => heard.notes.length).toBeGreaterThan(0);
      const { stages, budget, bytesInUse } = heard.notes.at(-1)!;
      expect(stages[0]!.name).toBe("cases");
      expect(stages.at(-1)).toMatchObject({ name: "trainer", in: 6 });
      expect(budget).toBe(192 * 1024 ** 2);
      expect(bytesInUse).toBe(0);
      await source.close();
      await host.close();
    }
  });

  it("keep the code and the sample of an error, after the good batches in front of it", async () => {
    const fields =
      'data: { classes: ["background", "square"], channels: 1, list: async () => [0, 1, 2, 3].map((k) => ({ id: "case_" + k, images: [] })), read: async (ref) => ({ ...tinyCase(ref.id), ...(ref.id === "case_3" && { label: undefined }) }) },';
    const path = tinyConfigFile(root, { name: "broken", fields });
    for (const [, start] of await hosts(path)) {
      const host = await start();
      const source = await host.open({ mode: "validation", ids, epochs: 1 });
      const good: TrainingBatch[] = [];
      const error = await (async () => {
        for (;;) {
          const batch = await source.next();
          good.push(batch!);
          batch!.release();
        }
      })().catch((fault: unknown) => fault);
      expect(error).toMatchObject({ code: "ERR_LABEL", sampleId: "case_3" });
      expect(good.length).toBeGreaterThan(0);
      await source.close();
      await host.close();
    }
  });

  it("skip a broken case and say so when asked to go on", async () => {
    const fields =
      'data: { classes: ["background", "square"], channels: 1, list: async () => [0, 1, 2, 3].map((k) => ({ id: "case_" + k, images: [] })), read: async (ref) => ({ ...tinyCase(ref.id), ...(ref.id === "case_3" && { label: undefined }) }) },';
    const path = tinyConfigFile(root, { name: "skip", fields });
    const heard = listener();
    for (const [, start] of await hosts(path, { ...SETTINGS, onError: "skip" }, heard)) {
      heard.skips.length = 0;
      const host = await start();
      const source = await host.open({ mode: "training", ids, epochs: 1 });
      const batches = await all(source);
      expect(batches.flatMap(({ parts }) => parts.map(({ id }) => id)).sort()).toEqual([
        "case_0",
        "case_0",
        "case_0",
        "case_1",
        "case_1",
        "case_1",
        "case_2",
        "case_2",
        "case_2",
      ]);
      await expect.poll(() => heard.skips).toMatchObject([{ id: "case_3", message: expect.stringContaining("must have a label map") }]);
      await source.close();
      await host.close();
    }
  });

  it("leave nothing behind when they are closed in the middle", async () => {
    const path = tinyConfigFile(root, {
      name: "middle",
      cases: 40,
      before: 'mapAsync(async (item) => { await wait(5); return item; }, { name: "slow" }), ',
    });
    for (const [name, start] of await hosts(path)) {
      const host = await start();
      const source = await host.open({ mode: "training", ids: Array.from({ length: 40 }, (_, k) => `case_${k}`), epochs: Number.POSITIVE_INFINITY });
      const asked = source.next();
      await asked;
      const pending = Promise.all([source.next(), new Promise((resolve) => setTimeout(resolve, 1))]);
      await source.close();
      await pending;
      expect(await source.next()).toBeUndefined();
      await host.close();
      // Closing twice, and closing a source of a closed host, is harmless.
      await source.close();
      expect(name).toBeTypeOf("string");
    }
    const threads = process.getActiveResourcesInfo().filter((resource) => resource === "MessagePort" || resource === "Worker");
    expect(threads.filter((resource) => resource === "Worker")).toEqual([]);
  });

  it("say so when the graph thread dies", async () => {
    const path = tinyConfigFile(root, { name: "dies", before: 'mapAsync(async () => process.exit(3), { name: "dies" }), ' });
    const host = await threadGraphHost(path, SETTINGS, listener());
    const first = host.open({ mode: "training", ids, epochs: 1 }).then((source) => source.next());
    await expect(first).rejects.toMatchObject({
      code: "ERR_WORKER",
      message: "graph thread: the graph thread must live as long as the training, but it ended with code 3",
    });
    await host.close();
  });

  it("tell why a config file cannot be loaded, and leave no thread", async () => {
    const path = tinyConfigFile(root, { name: "wrong", fields: "sead: 1," });
    await expect(threadGraphHost(path, SETTINGS, listener())).rejects.toMatchObject({
      code: "ERR_CONFIG",
      message: expect.stringContaining("sead is not a field of the configuration; did you mean seed?"),
    });
  });
});
