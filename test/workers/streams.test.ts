import { filter, type Observable, take } from "rxjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { axisAligned } from "../../src/core/geometry.js";
import type { RunContext } from "../../src/core/run-context.js";
import { SlabPool } from "../../src/core/slab-pool.js";
import { Volume } from "../../src/core/volume.js";
import { batchOf, fanOut, mapAsync, run, shuffle, source, to } from "../../src/streams/index.js";
import { createTaskPool, type TaskPool } from "../../src/workers/index.js";

const url = new URL("./fixtures/tasks.mjs", import.meta.url).href;
const MB = 1024 * 1024;
let tasks: TaskPool;
beforeAll(() => {
  tasks = createTaskPool({ threads: 2 });
});
afterAll(() => tasks.destroy());

interface Case {
  readonly index: number;
  readonly image: Volume<"float32">;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Volumes that worker threads fill and halve, in patches, shuffled, in batches. */
function volumes(
  pool: SlabPool,
  runner: TaskPool,
  cases: number,
  badEvery = 0,
): Observable<readonly { readonly index: number; readonly voxel: number }[]> {
  const create = () => Volume.create(pool, "float32", [8, 128, 256, 1], axisAligned());
  const call = (name: string, payload: unknown, signal: AbortSignal) => runner.run("module", { url, export: name, payload }, { signal });
  const orRelease = async (volume: Volume<"float32">, work: Promise<unknown>): Promise<Volume<"float32">> => {
    try {
      await work;
      return volume;
    } catch (error) {
      volume.release();
      throw error;
    }
  };
  return source("cases", cases, (index) => index).pipe(
    mapAsync(
      async (index, { signal }): Promise<Case> => {
        const volume = create();
        const bad = badEvery > 0 && index % badEvery === 1;
        const work = bad ? call("fail", { message: "corrupt" }, signal) : call("fill", { data: volume.data, value: index }, signal);
        return { index, image: await orRelease(volume, work) };
      },
      { name: "load", concurrency: 2, capacity: 3, onError: "skip", bytes: () => MB, keepFree: 2 * MB },
    ),
    filter(({ index }) => index % 5 !== 4),
    mapAsync(
      async ({ index, image }, { signal }): Promise<Case> => {
        const output = create();
        return { index, image: await orRelease(output, call("halve", { input: image.data, output: output.data }, signal)) };
      },
      { name: "halve", concurrency: 2 },
    ),
    fanOut(
      function* ({ index, image }) {
        for (let k = 0; k < 4; k++) yield { index, voxel: image.data[k * 1000]! };
      },
      { name: "patch" },
    ),
    shuffle({ window: 8 }),
    batchOf({ size: 5 }),
  );
}

const contextOf = (pool: SlabPool): RunContext => ({ seed: 1, mode: "training", pool, tasks, onError: "fail" });

test("a whole run gives every voxel of every good case and all memory back", async () => {
  const pool = new SlabPool({ budget: 12 * MB });
  const seen = new Map<number, number>();
  const flow = volumes(pool, tasks, 60, 20).pipe(
    to((parts) => {
      for (const { index, voxel } of parts) {
        expect(voxel).toBe(index / 2);
        seen.set(index, (seen.get(index) ?? 0) + 1);
      }
    }),
  );
  const job = run("whole", [flow], { context: contextOf(pool) });
  await job.done;
  const good = Array.from({ length: 60 }, (_, index) => index).filter((index) => index % 5 !== 4 && index % 20 !== 1);
  expect([...seen.keys()].sort((a, b) => a - b)).toEqual(good);
  expect([...seen.values()].every((count) => count === 4)).toBe(true);
  expect(job.graph.skipped.map(({ id, message }) => `${id} ${message}`)).toEqual(["1 corrupt", "21 corrupt", "41 corrupt"]);
  expect(pool.bytesInUse).toBe(0);
  expect(pool.peakBytes).toBeLessThanOrEqual(12 * MB);
});

test("take and stop at any moment give all memory back, and nothing writes into it afterwards", async () => {
  const pool = new SlabPool({ budget: 12 * MB, arenaBytes: 12 * MB });
  for (const cut of [1, 3, 7]) {
    const job = run(
      "take",
      [
        volumes(pool, tasks, 60).pipe(
          take(cut),
          to(() => {}),
        ),
      ],
      { context: contextOf(pool) },
    );
    await job.done;
    expect(pool.bytesInUse).toBe(0);
  }
  for (let k = 0; k < 8; k++) {
    const job = run("stop", [volumes(pool, tasks, 1000).pipe(to(() => sleep(1)))], { context: contextOf(pool) });
    await sleep(k * 7);
    await job.stop();
    expect(pool.bytesInUse).toBe(0);
    // The whole arena, recycled: a task that still ran would show.
    const all = Volume.create(pool, "float32", [12, 256, 1024, 1], axisAligned());
    all.data.fill(-1);
    await sleep(5);
    expect(all.data.every((value) => value === -1)).toBe(true);
    all.release();
  }
});

test("the same batches come from 1, 2 and 5 threads and from the calling thread", async () => {
  const orders: string[] = [];
  for (const threads of [0, 1, 2, 5]) {
    const pool = new SlabPool({ budget: 12 * MB });
    const own = createTaskPool({ threads });
    const got: unknown[] = [];
    const job = run("same", [volumes(pool, own, 25, 10).pipe(to((parts) => void got.push(parts)))], { context: contextOf(pool) });
    await job.done;
    await own.destroy();
    orders.push(JSON.stringify(got));
  }
  expect(new Set(orders).size).toBe(1);
  expect(orders[0]!.length).toBeGreaterThan(500);
});

test("threads that die in the middle of a run change nothing", async () => {
  const own = createTaskPool({ threads: 2, retries: 3 });
  const marks = new Int32Array(new SharedArrayBuffer(4)).fill(3);
  const flow = source("cases", 40, (index) => index).pipe(
    mapAsync(
      async (index, { signal }) => {
        await own.run("module", { url, export: index % 4 === 2 ? "die" : "wait", payload: { marks, how: "exit", ms: 0 } }, { signal });
        return index;
      },
      { concurrency: 3 },
    ),
  );
  const got: number[] = [];
  try {
    await run("deaths", [flow.pipe(to((index) => void got.push(index)))]).done;
  } finally {
    await own.destroy();
  }
  expect(got).toEqual(Array.from({ length: 40 }, (_, index) => index));
  expect(marks[0]).toBeLessThan(1);
});
