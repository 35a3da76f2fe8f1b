import assert from "node:assert/strict";
import { take } from "rxjs";
import type { Position } from "../../../src/streams/index.js";
import { collect, count, jitter, type Scenarios, type Streams, sleep } from "./scenario.js";

/** Several inlets or outlets. */
export const splitJoinScenarios: Scenarios = {
  "broadcast gives all to both, and the slower paces": async (s) => {
    const a: number[] = [];
    const b: number[] = [];
    let gap = 0;
    const flow = s.source("s", 100, (i) => i).pipe(s.mapAsync(async (v) => v, { concurrency: 2 }));
    const [x, y] = s.broadcast(flow, { branches: 2, capacity: 4 });
    const fast = s.to((v: number) => {
      a.push(v);
      gap = Math.max(gap, a.length - b.length);
    });
    const slow = s.to(async (v: number) => {
      await sleep(1);
      b.push(v);
    });
    await s.run("t", [x!.pipe(fast), y!.pipe(slow)]).done;
    assert.deepEqual(a, count(100));
    assert.deepEqual(b, count(100));
    assert.ok(gap <= 6, `gap ${gap}`);
  },

  "a branch that leaves stops counting": async (s) => {
    const a: number[] = [];
    const b: number[] = [];
    const [x, y] = s.broadcast(
      s.source("s", 50, (i) => i),
      { branches: 2 },
    );
    const into = (list: number[]) =>
      s.to((v: number) => {
        list.push(v);
      });
    await s.run("t", [x!.pipe(take(3), into(a)), y!.pipe(into(b))]).done;
    assert.deepEqual(a, [0, 1, 2]);
    assert.deepEqual(b, count(50));
  },

  "deal to three trainers is disjoint, complete and independent of their speeds": async (s) => {
    const got: number[][] = [[], [], []];
    const flow = s
      .source("s", 31, (i) => i)
      .pipe(
        s.mapAsync(
          async (v) => {
            await jitter(v);
            return v;
          },
          { concurrency: 4 },
        ),
      );
    const flows = s.deal(flow, { branches: 3, capacity: 2 }).map((branch, rank) =>
      branch.pipe(
        s.to(async (v) => {
          await sleep(rank);
          got[rank]!.push(v);
        }),
      ),
    );
    await s.run("t", flows).done;
    for (let rank = 0; rank < 3; rank++) {
      assert.deepEqual(
        got[rank],
        count(31).filter((i) => i % 3 === rank),
      );
    }
  },

  "deal resumes with the same assignment of ranks": async (s) => {
    const go = async (from: Position, stopAfter: number): Promise<{ got: number[][]; positions: readonly Position[] }> => {
      const got: number[][] = [[], [], []];
      const flow = s.source("s", 30, (i) => i).pipe(s.mapAsync(async (v) => v, { concurrency: 2 }));
      const flows = s.deal(flow, { branches: 3 }).map((branch, rank) =>
        branch.pipe(
          take(stopAfter),
          s.to(
            (v) => {
              got[rank]!.push(v);
            },
            { name: `gpu${rank}` },
          ),
        ),
      );
      const job = s.run("t", flows, { from });
      await job.done;
      return { got, positions: job.positions };
    };
    const first = await go({}, 4);
    // The trainers stop at the same step, or only the first was asked.
    for (const [rank, next] of [
      [2, 12],
      [0, 10],
    ] as const) {
      const rest = await go(JSON.parse(JSON.stringify(first.positions[rank])) as Position, 99);
      for (let k = 0; k < 3; k++) {
        assert.deepEqual(
          rest.got[k],
          count(30).filter((i) => i >= next && i % 3 === k),
        );
      }
    }
  },

  "zip pairs flows of different speed": async (s) => {
    const images = s
      .source("a", 20, (i) => i)
      .pipe(
        s.mapAsync(
          async (v) => {
            await sleep(1);
            return v;
          },
          { concurrency: 2, name: "img" },
        ),
      );
    const labels = s.source("b", 20, (i) => -i).pipe(s.mapAsync(async (v) => v, { name: "lab" }));
    const { got } = await collect(s, s.zipStages([images, labels] as const));
    assert.deepEqual(
      got,
      count(20).map((i) => [i, -i]),
    );
  },

  "zip ends with the shortest": async (s) => {
    const { got } = await collect(s, s.zipStages([s.source("a", 5, (i) => i), s.source("b", 3, (i) => i)] as const));
    assert.equal(got.length, 3);
    const reversed = await collect(s, s.zipStages([s.source("a", 3, (i) => i), s.source("b", 1e9, (i) => i)] as const));
    assert.equal(reversed.got.length, 3);
  },

  "mix by weight does not depend on the speeds": async (s) => {
    const go = async (slow: "a" | "b"): Promise<string[]> => {
      const part = (name: "a" | "b", n: number) =>
        s
          .source(name, n, (i) => `${name}${i}`)
          .pipe(
            s.mapAsync(
              async (v) => {
                if (name === slow) await sleep(Math.random());
                return v;
              },
              { concurrency: 3, name: `m${name}` },
            ),
          );
      return (
        await collect(
          s,
          s.mix(
            [
              { from: part("a", 150), weight: 3 },
              { from: part("b", 50), weight: 1 },
            ],
            { seed: 7 },
          ),
        )
      ).got;
    };
    const [x, y] = [await go("a"), await go("b")];
    assert.deepEqual(x, y);
    assert.equal(x.length, 200);
    const share = x.slice(0, 100).filter((v) => v.startsWith("b")).length;
    assert.ok(share > 10 && share < 40, `${share} of 100 are b`);
  },

  "mix resumes exactly": async (s) => {
    const flow = (x: Streams) =>
      x.mix(
        [
          { from: x.source("a", 30, (i) => i), weight: 2 },
          { from: x.source("b", 20, (i) => -i), weight: 1 },
        ],
        { seed: 1 },
      );
    const all = (await collect(s, flow(s))).got;
    for (const n of [1, 7, 23, 45]) {
      const job = s.run("t", [
        flow(s).pipe(
          take(n),
          s.to(() => {}),
        ),
      ]);
      await job.done;
      assert.deepEqual((await collect(s, flow(s), { from: job.position })).got, all.slice(n));
    }
  },
};
