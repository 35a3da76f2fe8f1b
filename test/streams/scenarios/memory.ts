import assert from "node:assert/strict";
import { filter, map, type Observable, take } from "rxjs";
import { axisAligned } from "../../../src/core/geometry.js";
import type { RunContext } from "../../../src/core/run-context.js";
import { SlabPool } from "../../../src/core/slab-pool.js";
import { Volume } from "../../../src/core/volume.js";
import { Counted, collect, count, type Scenarios, type Streams, sleep } from "./scenario.js";

interface Item {
  readonly id: string;
  readonly image: Counted;
}

/** Volumes through every kind of stage: in place, copied, dropped, fanned out, split, joined. */
function flow(s: Streams, all: Counted[], volumes = 24): Observable<unknown> {
  const make = (value: number): Counted => new Counted(value, all);
  const loaded = s
    .source("vol", volumes, (i) => i)
    .pipe(
      s.mapAsync(
        async (i, { signal }): Promise<Item> => {
          await sleep(Math.random() * 2, signal);
          if (i % 10 === 7) throw new Error("unreadable");
          return { id: `c${i}`, image: make(i) };
        },
        { name: "load", concurrency: 3, onError: "skip" },
      ),
      s.mapAsync(
        async (item) => {
          const used = item.image;
          await sleep(Math.random());
          assert.ok(!used.isFreed, "an input was freed while its job ran");
          return item;
        },
        { name: "clip", concurrency: 2 },
      ),
      s.mapAsync(
        async (item): Promise<Item> => {
          await sleep(Math.random());
          assert.ok(!item.image.isFreed, "an input was freed while its job ran");
          return { id: item.id, image: make(item.image.value) };
        },
        { name: "resample", concurrency: 2 },
      ),
      filter((item) => item.image.value % 5 !== 4),
    );
  const [x, y] = s.broadcast(loaded, { branches: 2, capacity: 2 });
  const patches = (branch: Observable<Item>, name: string) =>
    branch.pipe(
      s.fanOut(
        async function* (item) {
          for (let k = 0; k < 3; k++) {
            await sleep(0);
            yield { id: item.id, image: make(item.image.value) };
          }
        },
        { name },
      ),
      s.skipWhen((item) => (item.image.value % 6 === 0 ? "blank" : undefined), { name: `skip-${name}` }),
      s.prefetch({ capacity: 3, name: `queue-${name}` }),
    );
  return s.zipStages([patches(x!, "left"), patches(y!, "right").pipe(s.via(map((item) => item)))] as const).pipe(
    map(([left]) => left),
    s.shuffle({ window: 5, seed: 1 }),
    s.batchOf({ size: 2, collate: (parts: readonly Item[]) => parts.map((part) => make(part.image.value)) }),
  );
}

function assertFreed(all: readonly Counted[], when: string): void {
  // A child that was skipped by a plain operator or never handed over has no holder, but it must not be held.
  const held = all.filter((block) => block.holders > 0);
  assert.equal(held.length, 0, `${when}: ${held.length} of ${all.length} blocks are still held`);
  const unfreed = all.filter((block) => !block.isFreed);
  assert.equal(unfreed.length, 0, `${when}: ${unfreed.length} of ${all.length} blocks were never freed`);
}

const tasks: RunContext["tasks"] = { concurrency: 2, run: () => Promise.reject(new Error("no tasks here")) };
const contextWith = (pool: SlabPool): RunContext => ({ seed: 1, mode: "training", pool, tasks, onError: "fail" });
const MB = 1024 * 1024;

/** Counted memory and the byte budget. */
export const memoryScenarios: Scenarios = {
  "all memory is free after a complete run": async (s) => {
    const all: Counted[] = [];
    const { got } = await collect(s, flow(s, all));
    assert.ok(got.length > 10);
    assertFreed(all, "complete");
  },

  "all memory is free after take": async (s) => {
    for (const n of [1, 4, 9]) {
      const all: Counted[] = [];
      const { job } = await collect(s, flow(s, all).pipe(take(n)));
      await job.graph.idle();
      assertFreed(all, `take(${n})`);
    }
  },

  "all memory is free after a stop at any moment": async (s) => {
    for (let k = 0; k < 10; k++) {
      const all: Counted[] = [];
      const job = s.run("t", [
        flow(s, all).pipe(
          s.to(async () => {
            await sleep(1);
          }),
        ),
      ]);
      await sleep(k * 3);
      await job.stop();
      assertFreed(all, `stop after ${k * 3} ms`);
    }
  },

  "all memory is free after an error": async (s) => {
    const all: Counted[] = [];
    let n = 0;
    const failing = s.mapAsync<unknown, unknown>(
      (value) => {
        if (n++ === 4) throw new Error("boom");
        return value;
      },
      { name: "failing" },
    );
    await assert.rejects(collect(s, flow(s, all).pipe(failing)), /boom/);
    assertFreed(all, "error");
  },

  "a value dropped by a plain filter goes back at once": async (s) => {
    const all: Counted[] = [];
    let peak = 0;
    const make = (i: number): Counted => {
      const block = new Counted(i, all);
      peak = Math.max(peak, all.filter((other) => other.holders > 0).length);
      return block;
    };
    const blocks = s
      .source("s", 50, (i) => i)
      .pipe(
        s.mapAsync(async (i) => make(i)),
        filter((block) => block.value % 25 === 24),
        s.prefetch({ capacity: 2 }),
      );
    await collect(s, blocks);
    assert.ok(peak <= 4, `peak ${peak}`);
    assertFreed(all, "filter");
  },

  "a looked-ahead child is released on stop": async (s) => {
    const all: Counted[] = [];
    let isReturned = false;
    const children = async function* () {
      try {
        for (;;) {
          await sleep(2);
          yield new Counted(0, all);
        }
      } finally {
        isReturned = true;
      }
    };
    for (const ms of [1, 7, 15]) {
      isReturned = false;
      const job = s.run("t", [
        s
          .source("s", 1, (i) => i)
          .pipe(
            s.fanOut(children),
            s.to(async (_, { signal }) => {
              await sleep(100, signal);
            }),
          ),
      ]);
      await sleep(ms);
      await job.stop();
      assertFreed(all, `stop after ${ms} ms`);
      assert.ok(isReturned || ms < 2, "the generator was closed");
    }
  },

  "a parent's memory is held until its asynchronous children have ended": async (s) => {
    const parent = new Counted(1);
    let isBroken = false;
    const children = async function* (block: Counted) {
      for (;;) {
        await sleep(3);
        if (block.isFreed) isBroken = true;
        yield 1;
      }
    };
    const job = s.run("t", [
      s
        .source("s", 1, () => parent)
        .pipe(
          s.prefetch({ capacity: 1 }),
          s.fanOut(children),
          s.to(() => {}),
        ),
    ]);
    await sleep(8);
    await job.stop();
    await sleep(8);
    assert.ok(!isBroken);
    assert.ok(parent.isFreed);
  },

  "jobs start only while the pool has room for them": async (s) => {
    const pool = new SlabPool({ budget: 8 * MB });
    let peak = 0;
    const load = async (i: number): Promise<Volume<"uint8">> => {
      await sleep(Math.random() * 2);
      const volume = Volume.create(pool, "uint8", [2, 1024, 1024, 1], axisAligned());
      volume.data[0] = i;
      return volume;
    };
    const volumes = s
      .source("s", 40, (i) => i)
      .pipe(s.mapAsync(load, { concurrency: 6, capacity: 6, bytes: () => 2 * MB, name: "load" }), s.prefetch({ capacity: 10 }));
    const seen: number[] = [];
    const sink = s.to(async (volume: Volume<"uint8">) => {
      peak = Math.max(peak, pool.bytesInUse);
      seen.push(volume.data[0]!);
      await sleep(1);
    });
    await s.run("t", [volumes.pipe(sink)], { context: contextWith(pool) }).done;
    assert.deepEqual(seen, count(40));
    assert.ok(peak > 4 * MB && peak <= 8 * MB, `peak ${peak}`);
    assert.equal(pool.bytesInUse, 0);
  },

  "keepFree leaves room for later stages": async (s) => {
    const pool = new SlabPool({ budget: 8 * MB });
    const make = () => Volume.create(pool, "uint8", [2, 1024, 1024, 1], axisAligned());
    const volumes = s
      .source("s", 20, (i) => i)
      .pipe(
        s.mapAsync(async () => make(), { concurrency: 3, bytes: () => 2 * MB, keepFree: 2 * MB, name: "load" }),
        s.prefetch({ capacity: 4 }),
        s.mapAsync(async () => {
          await sleep(1);
          return make();
        }),
      );
    await s.run("t", [volumes.pipe(s.to(() => {}))], { context: contextWith(pool) }).done;
    assert.equal(pool.bytesInUse, 0);
  },

  "an item that can never fit the budget is ERR_MEMORY": async (s) => {
    const pool = new SlabPool({ budget: 8 * MB });
    const flow = s.source("s", 4, (i) => i).pipe(s.mapAsync(async (i) => i, { bytes: (i) => (i + 1) * 4 * MB, name: "load" }));
    await assert.rejects(collect(s, flow, { context: contextWith(pool) }), {
      code: "ERR_MEMORY",
      message: "load: an item of 12.0 MB must fit the memory budget of 8.0 MB (sample 2)",
    });
  },

  "a graph that waits for memory which it holds itself is ERR_MEMORY": async (s) => {
    const pool = new SlabPool({ budget: 8 * MB });
    const flow = s
      .source("s", 9, (i) => i)
      .pipe(
        s.mapAsync(async () => Volume.create(pool, "uint8", [2, 1024, 1024, 1], axisAligned()), { bytes: () => 2 * MB, name: "load" }),
        // A window of six volumes cannot fill within four.
        s.shuffle({ window: 6, seed: 1 }),
      );
    await assert.rejects(collect(s, flow, { context: contextWith(pool) }), {
      code: "ERR_MEMORY",
      message: /^t: the graph cannot go on: 'load' waits for 2.0 MB of memory \(8.0 MB of 8.0 MB are in use\)/,
    });
    assert.equal(pool.bytesInUse, 0);
  },

  "memory that someone else gives back lets the graph go on": async (s) => {
    const pool = new SlabPool({ budget: 8 * MB });
    const foreign = Volume.create(pool, "uint8", [7, 1024, 1024, 1], axisAligned());
    const load = async (): Promise<Volume<"uint8">> => Volume.create(pool, "uint8", [2, 1024, 1024, 1], axisAligned());
    const volumes = s.source("s", 9, (i) => i).pipe(s.mapAsync(load, { bytes: () => 2 * MB, name: "load" }));
    const job = s.run("t", [volumes.pipe(s.to(() => {}))], { context: contextWith(pool) });
    setTimeout(() => foreign.release(), 20);
    assert.equal(await job.done, "completed");
  },

  "waiting for the memory of others ends with ERR_MEMORY": async (s) => {
    const pool = new SlabPool({ budget: 8 * MB });
    const foreign = Volume.create(pool, "uint8", [7, 1024, 1024, 1], axisAligned());
    const flow = s.source("s", 9, (i) => i).pipe(s.mapAsync(async (i) => i, { bytes: () => 2 * MB, name: "load" }));
    await assert.rejects(collect(s, flow, { context: contextWith(pool), patience: 30 }), { code: "ERR_MEMORY", message: /waits for 2.0 MB/ });
    foreign.release();
  },

  "two graphs on one pool wait for each other's memory": async (s) => {
    const pool = new SlabPool({ budget: 8 * MB });
    const load = async (): Promise<Volume<"uint8">> => Volume.create(pool, "uint8", [2, 1024, 1024, 1], axisAligned());
    const start = (name: string, ms: number) => {
      const volumes = s
        .source("s", 12, (i) => i)
        .pipe(
          s.mapAsync(load, { bytes: () => 2 * MB, concurrency: 2, name: "load" }),
          s.batchOf({ size: 2, collate: (parts) => parts.length }),
          s.to(() => sleep(ms)),
        );
      return s.run(name, [volumes], { context: contextWith(pool) }).done;
    };
    assert.deepEqual(await Promise.all([start("a", 1), start("b", 3)]), ["completed", "completed"]);
    assert.equal(pool.bytesInUse, 0);
  },
};
