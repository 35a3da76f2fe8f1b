import assert from "node:assert/strict";
import { bufferCount, catchError, concat, endWith, filter, lastValueFrom, map, merge, repeat, scan, take, toArray } from "rxjs";
import { collect, count, jitter, reportOf, type Scenarios, sleep, within } from "./scenario.js";

/** Items move completely, in order and within bounds, through stages and plain operators. */
export const flowScenarios: Scenarios = {
  "order and completeness through six stages": async (s) => {
    const { got } = await collect(
      s,
      s
        .source("s", 1000, (i) => i)
        .pipe(
          s.mapAsync(async (x) => x * 2, { concurrency: 4 }),
          map((x) => x + 1),
          s.prefetch({ capacity: 8 }),
          filter((x) => x % 3 !== 0),
          s.mapAsync(async (x) => x, { concurrency: 3, name: "b" }),
        ),
    );
    assert.deepEqual(
      got,
      count(1000)
        .map((x) => x * 2 + 1)
        .filter((x) => x % 3 !== 0),
    );
  },

  "results that come in shuffled order leave in the order of the items, and jobs start in it": async (s) => {
    const started: number[] = [];
    const finished: number[] = [];
    const work = async (x: number): Promise<number> => {
      started.push(x);
      await jitter(x);
      finished.push(x);
      return x;
    };
    const { got } = await collect(s, s.source("s", 60, (i) => i).pipe(s.mapAsync(work, { concurrency: 6, capacity: 9, name: "work" })));
    assert.deepEqual(got, count(60));
    assert.deepEqual(started, count(60));
    assert.notDeepEqual(finished, count(60));
  },

  "a slow consumer bounds what is in flight": async (s) => {
    let loaded = 0;
    let consumed = 0;
    let peak = 0;
    const flow = s
      .source("s", 200, (i) => i)
      .pipe(
        s.mapAsync(
          async (x) => {
            loaded++;
            peak = Math.max(peak, loaded - consumed);
            return x;
          },
          { concurrency: 4, name: "load" },
        ),
        s.prefetch({ capacity: 8 }),
        s.batchOf({ size: 4 }),
        s.to(async (parts) => {
          await sleep(1);
          consumed += parts.length;
        }),
      );
    await s.run("t", [flow]).done;
    // load + prefetch + batch, and the consumer holds one batch of 4.
    assert.ok(peak <= 4 + 8 + 4 + 4, `peak ${peak}`);
  },

  "a fast consumer is starved, not blocked": async (s) => {
    const { got, job } = await collect(
      s,
      s
        .source("s", 50, (i) => i)
        .pipe(
          s.mapAsync(
            async (x) => {
              await sleep(2);
              return x;
            },
            { concurrency: 5, name: "slow" },
          ),
        ),
    );
    assert.equal(got.length, 50);
    const sink = reportOf(job, "sink");
    assert.ok(sink.starvedMs > 10 && sink.blockedMs === 0, JSON.stringify(sink));
    assert.ok(reportOf(job, "slow").workMs >= 50 * 2 * 0.9, "work of parallel jobs adds up");
  },

  "a fan-out makes its children lazily": async (s) => {
    let made = 0;
    let used = 0;
    let peak = 0;
    const flow = s
      .source("vol", 20, (i) => i)
      .pipe(
        s.mapAsync(async (v) => v, { concurrency: 2, name: "load" }),
        s.fanOut(
          function* (v) {
            for (let k = 0; k < 1000; k++) {
              made++;
              peak = Math.max(peak, made - used);
              yield v * 1000 + k;
            }
          },
          { name: "patch" },
        ),
        filter((p) => p % 2 === 0),
        s.batchOf({ size: 50 }),
        s.to(async () => {
          await Promise.resolve();
          used += 100;
        }),
      );
    await s.run("t", [flow]).done;
    assert.equal(made, 20_000);
    assert.ok(peak <= 202, `peak ${peak}`);
  },

  "a fan-out of asynchronous children keeps the order": async (s) => {
    const { got } = await collect(
      s,
      s
        .source("v", 5, (i) => i)
        .pipe(
          s.fanOut(async function* (v) {
            for (let k = 0; k < 4; k++) {
              await sleep(1);
              yield v * 10 + k;
            }
          }),
        ),
    );
    assert.deepEqual(
      got,
      count(5).flatMap((v) => count(4).map((k) => v * 10 + k)),
    );
  },

  "plain synchronous operators work between stages": async (s) => {
    const flow = (name: string, n: number) => s.source(name, n, (i) => i).pipe(s.mapAsync(async (v) => v, { concurrency: 2, name: `m${name}` }));
    const one = { capacity: 1 };
    assert.equal((await collect(s, merge(flow("a", 30), flow("b", 30)).pipe(s.prefetch({ capacity: 3 })))).got.length, 60);
    assert.deepEqual((await collect(s, concat(flow("a", 3), flow("b", 3)).pipe(s.prefetch(one)))).got, [0, 1, 2, 0, 1, 2]);
    assert.deepEqual((await collect(s, flow("a", 3).pipe(repeat(3), s.prefetch(one)))).got, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    const sum = scan((a: number, b: number) => a + b, 0);
    assert.deepEqual((await collect(s, flow("a", 4).pipe(sum, s.prefetch(one)))).got, [0, 1, 3, 6]);
    assert.deepEqual((await collect(s, flow("a", 5).pipe(bufferCount(2), s.prefetch(one)))).got, [[0, 1], [2, 3], [4]]);
    assert.deepEqual(await lastValueFrom(flow("a", 5).pipe(toArray())), [0, 1, 2, 3, 4]);
    const broken = map((x: number) => {
      if (x === 2) throw new Error("bad");
      return x;
    });
    assert.deepEqual(
      (
        await collect(
          s,
          flow("a", 5).pipe(
            broken,
            catchError(() => flow("b", 2)),
            s.prefetch(one),
          ),
        )
      ).got,
      [0, 1, 0, 1],
    );
  },

  "what an operator flushes at the end waits for room": async (s) => {
    const slow = <T>() =>
      s.mapAsync(async (value: T) => {
        await sleep(2);
        return value;
      });
    const { got } = await collect(s, s.source("s", 5, (i) => i).pipe(s.prefetch({ capacity: 1 }), bufferCount(2), slow<number[]>()));
    assert.deepEqual(got, [[0, 1], [2, 3], [4]]);
    const ended = await collect(s, s.source("s", 3, (i) => i).pipe(s.prefetch({ capacity: 1 }), endWith(99), slow<number>()));
    assert.deepEqual(ended.got, [0, 1, 2, 99]);
  },

  "take(5) stops the whole graph": async (s) => {
    let started = 0;
    const graph = new s.Graph("g");
    const got: number[] = [];
    await new Promise<void>((resolve) => {
      within(s, graph, () => {
        s.source("s", 1e9, (i) => i)
          .pipe(
            s.mapAsync(
              async (x) => {
                started++;
                await sleep(1);
                return x;
              },
              { concurrency: 3 },
            ),
            take(5),
          )
          .subscribe({ next: (value) => got.push(value), complete: resolve });
      });
    });
    await graph.idle();
    const before = started;
    await sleep(10);
    assert.deepEqual(got, [0, 1, 2, 3, 4]);
    assert.equal(started, before);
    assert.ok(graph.nodes.every((node) => node.closed));
  },

  "a synchronous graph without end leaves turns to the event loop": async (s) => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const graph = new s.Graph("g");
    const flow = s
      .source("s", Number.MAX_SAFE_INTEGER, (i) => i)
      .pipe(
        s.prefetch({ capacity: 4 }),
        filter(() => false),
      );
    const subscription = within(s, graph, () => flow.subscribe());
    await sleep(100);
    subscription.unsubscribe();
    clearInterval(timer);
    assert.ok(ticks > 3, `${ticks} ticks`);
  },

  "slow synchronous work leaves turns to the event loop, too": async (s) => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const collate = (parts: readonly number[]): number => {
      const end = performance.now() + 4;
      while (performance.now() < end);
      return parts.length;
    };
    const { job } = await collect(s, s.source("s", 40, (i) => i).pipe(s.batchOf({ size: 1, collate })));
    clearInterval(timer);
    assert.ok(ticks >= 5, `${ticks} ticks in 160 ms`);
    const report = reportOf(job, "batch");
    assert.ok(report.workMs >= 150 && report.busyMs >= 150, JSON.stringify(report));
  },

  "30 synchronous stages and 20 000 items do not deepen the stack": async (s) => {
    let flow = s.source("s", 20_000, (i) => i);
    for (let k = 0; k < 30; k++) flow = flow.pipe(s.prefetch({ capacity: 1, name: `p${k}` }));
    let n = 0;
    await new Promise<void>((resolve, reject) => flow.subscribe({ next: () => n++, error: reject, complete: resolve }));
    assert.equal(n, 20_000);
  },

  "refusing and waking 200 000 times does not deepen the stack": async (s) => {
    let n = 0;
    const flow = s
      .source("s", 200_000, (i) => i)
      .pipe(
        s.fanOut((x) => [x]),
        s.batchOf({ size: 1 }),
        s.fanOut((parts) => parts, { name: "again" }),
      );
    await new Promise<void>((resolve, reject) => flow.subscribe({ next: () => n++, error: reject, complete: resolve }));
    assert.equal(n, 200_000);
  },

  "stage code is never entered twice, even when it wakes its own stage": async (s) => {
    const picky = s.stage<number, number>("picky", (node) => {
      const queue: { value: number; id: string; epoch: number; at: object }[] = [];
      let isInside = false;
      const once = <R>(action: () => R): R => {
        assert.ok(!isInside, "entered twice");
        isInside = true;
        try {
          return action();
        } finally {
          isInside = false;
        }
      };
      return {
        room: () => queue.length < 4,
        push: (item) =>
          once(() => {
            queue.push(item);
            node.pump();
          }),
        ready: () => queue.length > 0,
        pull: () =>
          once(() => {
            node.pump();
            return queue.shift() as never;
          }),
        size: () => queue.length,
      };
    });
    const { got } = await collect(
      s,
      s
        .source("s", 50, (i) => i)
        .pipe(
          picky,
          s.mapAsync(async (x) => x),
        ),
    );
    assert.deepEqual(got, count(50));
  },

  "a graph run inside a collate function is independent": async (s) => {
    const collate = (): number => {
      let n = 0;
      s.source("in", 7, (i) => i)
        .pipe(s.prefetch({ capacity: 1, name: "inside" }))
        .subscribe(() => n++);
      return n;
    };
    const { got, job } = await collect(
      s,
      s
        .source("s", 12, (i) => i)
        .pipe(
          s.batchOf({ size: 3, collate }),
          s.mapAsync(async (n) => {
            await sleep(1);
            return n;
          }),
        ),
    );
    assert.deepEqual(got, [7, 7, 7, 7]);
    assert.ok(!job.graph.nodes.some((node) => node.name === "inside"));
  },

  "a graph inside a job does not inherit the outer demand": async (s) => {
    const inner = (x: number) =>
      lastValueFrom(s.source("inner", 5, (i) => i).pipe(s.mapAsync(async (y) => x * 10 + y, { concurrency: 2, name: "in" })));
    const { got } = await collect(s, s.source("s", 10, (i) => i).pipe(s.mapAsync(inner, { concurrency: 2 })));
    assert.deepEqual(
      got,
      count(10).map((x) => x * 10 + 4),
    );
  },

  "two plain subscribers get independent runs": async (s) => {
    const flow = s.source("s", 5, (i) => i).pipe(s.mapAsync(async (x) => x));
    const [a, b] = await Promise.all([lastValueFrom(flow.pipe(toArray())), lastValueFrom(flow.pipe(toArray()))]);
    assert.deepEqual(a, count(5));
    assert.deepEqual(b, count(5));
  },

  "for await consumes a flow, and leaving the loop stops it": async (s) => {
    const got: number[] = [];
    let made = 0;
    const flow = s
      .source("s", 1e9, (i) => {
        made++;
        return i;
      })
      .pipe(s.prefetch({ capacity: 2 }));
    for await (const value of s.iterate(flow)) {
      got.push(value);
      await sleep(1);
      if (got.length === 5) break;
    }
    assert.deepEqual(got, count(5));
    assert.ok(made < 12, `made ${made}`);
  },

  "for await throws the error of the flow after the items before it": async (s) => {
    const flow = s
      .source("s", 9, (i) => i)
      .pipe(
        s.mapAsync(async (x) => {
          if (x === 3) throw new Error("bad");
          return x;
        }),
      );
    const got: number[] = [];
    await assert.rejects(async () => {
      for await (const value of s.iterate(flow)) got.push(value);
    }, /bad/);
    assert.deepEqual(got, [0, 1, 2]);
  },

  "an operator that answers late is bounded by via": async (s) => {
    const { mergeMap } = await import("rxjs");
    let inside = 0;
    let peak = 0;
    const late = mergeMap(async (x: number) => {
      inside++;
      peak = Math.max(peak, inside);
      await sleep(1);
      inside--;
      return x;
    });
    const { got } = await collect(s, s.source("s", 30, (i) => i).pipe(s.via(late, { capacity: 3 })));
    assert.equal(got.length, 30);
    assert.ok(peak <= 3, `peak ${peak}`);
  },

  "an operator that holds its answers until the end is told the end by via": async (s) => {
    const { delayWhen, ignoreElements, last, startWith } = await import("rxjs");
    const flow = s
      .source("s", 3, (i) => i)
      .pipe(s.via((x) => x.pipe(delayWhen(() => x.pipe(ignoreElements(), startWith(0), last()))), { capacity: 5 }));
    assert.deepEqual((await collect(s, flow)).got, [0, 1, 2]);
  },
};
