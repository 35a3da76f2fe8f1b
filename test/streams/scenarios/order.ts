import assert from "node:assert/strict";
import { filter, map, type Observable, take, tap } from "rxjs";
import { Random } from "../../../src/core/random.js";
import type { Position, Run } from "../../../src/streams/index.js";
import { collect, count, jitter, reportOf, type Scenarios, type Streams, sleep } from "./scenario.js";

/** Every kind of stage at once, over two epochs. */
function pipeline(s: Streams, seed: number, concurrency: number, capacity: number): Observable<readonly string[]> {
  return s
    .source("vol", 12, (i) => i, { epochs: 2 })
    .pipe(
      s.mapAsync(
        async (v) => {
          await sleep(Math.random() * 2);
          return v;
        },
        { concurrency, capacity, name: "load" },
      ),
      s.fanOut((v) => count(20).map((k) => v * 100 + k), { name: "patch" }),
      filter((p) => p % 3 !== 0),
      s.shuffle({ window: 32, seed }),
      s.mapAsync(async (p, { id, epoch }) => `${p}@${epoch}:${new Random(seed, epoch, id, "augment").integer(0, 1e6)}`, {
        concurrency,
        name: "augment",
      }),
      s.batchOf({ size: 5 }),
    );
}

/** Order, determinism, epochs and resuming. */
export const orderScenarios: Scenarios = {
  "shuffle is a seeded permutation within bounds": async (s) => {
    const go = (seed: number, concurrency: number) =>
      collect(
        s,
        s
          .source("s", 1000, (i) => i)
          .pipe(
            s.mapAsync(
              async (v) => {
                if (v % 97 === 0) await sleep(1);
                return v;
              },
              { concurrency },
            ),
            s.shuffle({ window: 64, seed }),
          ),
      );
    const [a, b, c] = [await go(1, 1), await go(1, 8), await go(2, 8)];
    assert.deepEqual(a.got, b.got);
    assert.notDeepEqual(a.got, c.got);
    assert.deepEqual(
      [...a.got].sort((x, y) => x - y),
      count(1000),
    );
    assert.ok(reportOf(b.job, "shuffle").maxHeld <= 128);
  },

  "every window and every epoch has an order of its own": async (s) => {
    const flow = s.source("s", 20, (i) => i, { epochs: 2 }).pipe(s.shuffle({ window: 10, seed: 3 }));
    const { got } = await collect(s, flow);
    const windows = [0, 10, 20, 30].map((start) =>
      got
        .slice(start, start + 10)
        .map((v) => v % 10)
        .join(),
    );
    assert.equal(new Set(windows).size, 4, windows.join(" | "));
  },

  "windows and batches never mix epochs": async (s) => {
    const flow = s.source("s", 7, (i, epoch) => epoch * 100 + i, { epochs: 3 });
    const shuffled = (await collect(s, flow.pipe(s.shuffle({ window: 5, seed: 1 })))).got;
    assert.deepEqual(
      shuffled.map((v) => Math.floor(v / 100)),
      [0, 1, 2].flatMap((epoch) => Array<number>(7).fill(epoch)),
    );
    const batches = (await collect(s, flow.pipe(s.batchOf({ size: 3 })))).got;
    assert.deepEqual(
      batches.map((parts) => parts.length),
      [3, 3, 1, 3, 3, 1, 3, 3, 1],
    );
    assert.ok(batches.every((parts) => new Set(parts.map((v) => Math.floor(v / 100))).size === 1));
    const dropped = (await collect(s, flow.pipe(s.batchOf({ size: 3, last: "drop" })))).got;
    assert.deepEqual(
      dropped.map((parts) => parts.length),
      [3, 3, 3, 3, 3, 3],
    );
  },

  "the order of an epoch does not depend on how the run came to it": async (s) => {
    const build = () => s.source("s", 25, (i, epoch) => `${epoch}:${i}`, { epochs: 3 }).pipe(s.shuffle({ window: 10, seed: 1 }));
    const all = (await collect(s, build())).got;
    // From the beginning of epoch 2, without the position of the shuffle.
    const { got } = await collect(s, build(), { from: { s: 50 } });
    assert.deepEqual(got, all.slice(50));
  },

  "endless epochs tell each item's epoch": async (s) => {
    const epochs: number[] = [];
    const ids: string[] = [];
    const flow = s
      .source("s", 3, (i) => i, { epochs: Number.POSITIVE_INFINITY })
      .pipe(
        s.mapAsync((v, { epoch, id }) => {
          epochs.push(epoch);
          ids.push(id);
          return v;
        }),
        take(8),
      );
    assert.deepEqual((await collect(s, flow)).got, [0, 1, 2, 0, 1, 2, 0, 1]);
    assert.deepEqual(epochs.slice(0, 8), [0, 0, 0, 1, 1, 1, 2, 2]);
    assert.deepEqual(ids.slice(2, 5), ["0:2", "1:0", "1:1"]);
  },

  "any number of workers and any buffer gives the same output": async (s) => {
    const { got } = await collect(s, pipeline(s, 3, 1, 1));
    assert.deepEqual((await collect(s, pipeline(s, 3, 7, 9))).got, got);
    assert.notDeepEqual((await collect(s, pipeline(s, 4, 7, 9))).got, got);
  },

  "knobs that change while it runs do not change the output": async (s) => {
    const reference = (await collect(s, pipeline(s, 3, 1, 1))).got;
    const got: unknown[] = [];
    const job: Run = s.run("t", [
      pipeline(s, 3, 2, 2).pipe(
        s.to(async (v) => {
          got.push(v);
          const load = job.graph.nodes.find((node) => node.name === "load")!;
          load.knobs.concurrency = 1 + Math.floor(Math.random() * 8);
          load.knobs.capacity = 1 + Math.floor(Math.random() * 8);
          load.pump();
          await sleep(0);
        }),
      ),
    ]);
    await job.done;
    assert.deepEqual(got, reference);
  },

  "resuming at every batch reproduces the rest exactly": async (s) => {
    const all: unknown[] = [];
    const positions: Position[] = [{}];
    const sink = s.to((v: unknown) => {
      all.push(v);
    });
    const remember = tap((position: Position) => positions.push(JSON.parse(JSON.stringify(position)) as Position));
    await s.run("t", [pipeline(s, 5, 4, 4).pipe(sink, remember)]).done;
    assert.ok(positions.length > 60);
    for (let k = 0; k < positions.length; k += 2) {
      const { got } = await collect(s, pipeline(s, 5, 3, 3), { from: positions[k]! });
      assert.deepEqual(got, all.slice(k), `from ${k} ${JSON.stringify(positions[k])}`);
    }
  },

  "a position of another graph is refused": async (s) => {
    const flow = s.source("s", 9, (i) => i).pipe(s.shuffle({ window: 3, seed: 1 }));
    await assert.rejects(collect(s, flow, { from: { s: "3" } }), {
      code: "ERR_CHECKPOINT",
      message: /^s: the resume position must come from the same graph, got "3"/,
    });
    await assert.rejects(collect(s, flow, { from: { shuffle: [1] } }), { code: "ERR_CHECKPOINT" });
  },

  "completion order loses nothing, and resuming repeats at most the capacity": async (s) => {
    const seen: number[] = [];
    const flow = () =>
      s
        .source("s", 60, (i) => i)
        .pipe(
          s.mapAsync(
            async (v) => {
              await jitter(v, 6);
              return v;
            },
            { concurrency: 6, ordered: false },
          ),
        );
    const sink = s.to((v: number) => {
      seen.push(v);
    });
    const job = s.run("t", [flow().pipe(take(25), sink)]);
    await job.done;
    assert.equal(new Set(seen).size, 25);
    assert.notDeepEqual(seen, count(25));
    const rest = (await collect(s, flow(), { from: job.position })).got;
    assert.equal(new Set([...seen, ...rest]).size, 60);
    assert.ok(seen.length + rest.length - 60 <= 6);
  },

  "stages of one name get numbers, so that positions and random keys do not mix": async (s) => {
    const flow = () =>
      s.source("s", 40, (i) => i).pipe(s.shuffle({ window: 8, seed: 1 }), s.prefetch({ capacity: 1 }), s.shuffle({ window: 8, seed: 1 }));
    const all: number[] = [];
    const positions: Position[] = [{}];
    const sink = s.to((v: number) => {
      all.push(v);
    });
    const job = s.run("t", [
      flow().pipe(
        sink,
        tap((position) => positions.push(position)),
      ),
    ]);
    await job.done;
    assert.deepEqual(
      job.reports().map((report) => report.name),
      ["s", "shuffle#2", "prefetch", "shuffle", "sink"],
    );
    for (const k of [3, 11, 29]) assert.deepEqual((await collect(s, flow(), { from: positions[k]! })).got, all.slice(k));
    const twins = await collect(s, s.zipStages([s.source("s", 3, (i) => i), s.source("s", 3, (i) => i)] as const));
    assert.deepEqual(twins.got, [
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
  },

  "ids are the value's own, or index with epoch": async (s) => {
    const ids: string[] = [];
    const note = <T>() =>
      s.mapAsync((value: T, { id }) => {
        ids.push(id);
        return value;
      });
    await collect(s, s.source("s", 2, (i) => ({ id: `case_${i}` })).pipe(note()));
    await collect(s, s.source("s", 2, (i) => i).pipe(note()));
    await collect(
      s,
      s
        .source("s", 1, (i) => i, { id: (value) => `v${value}` })
        .pipe(
          s.fanOut(() => ["a", "b"]),
          note(),
        ),
    );
    await collect(
      s,
      s.one("x", { id: "case_7", epoch: 3 }).pipe(
        map((v) => v),
        note(),
      ),
    );
    assert.deepEqual(ids, ["case_0", "case_1", "0", "1", "v0.0", "v0.1", "case_7"]);
  },
};
