import assert from "node:assert/strict";
import { delay, filter, from, map, mergeMap, type Observable, of, take } from "rxjs";
import { isVoxError, VoxError } from "../../../src/core/errors.js";
import { collect, count, type Scenarios, type Streams, shuffledTurns, sleep } from "./scenario.js";

async function failure(promise: Promise<unknown>): Promise<VoxError> {
  try {
    await promise;
  } catch (error) {
    // A defect copy has its own class.
    if (isVoxError(error) || (error as Error).name === "VoxError") return error as VoxError;
    throw error;
  }
  throw new Error("must fail");
}

async function failsWith(s: Streams, flow: Observable<unknown>, code: string, message: RegExp): Promise<VoxError> {
  const error = await failure(collect(s, flow));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return error;
}

/** Errors, skips, standstill and stop. */
export const faultScenarios: Scenarios = {
  "an error keeps its place and its identity, and leaves nothing running": async (s) => {
    const turns = shuffledTurns(2);
    const got: number[] = [];
    const flow = s
      .source("vol", 10, (i) => i)
      .pipe(
        s.fanOut((v) => count(10).map((k) => v * 10 + k), { name: "patch" }),
        s.mapAsync(
          async (x) => {
            // At once, while jobs of earlier items still run.
            if (x === 37) throw new Error("corrupt");
            await turns();
            return x;
          },
          { concurrency: 8, name: "clip" },
        ),
        s.to((x) => {
          got.push(x);
        }),
      );
    const job = s.run("t", [flow]);
    const error = await failure(job.done);
    assert.equal(error.code, "ERR_STAGE");
    assert.equal(error.where, "clip");
    assert.equal(error.sampleId, "3.7");
    assert.equal(error.message, "clip: corrupt (sample 3.7)");
    assert.equal((error.cause as Error).message, "corrupt");
    assert.deepEqual(got, count(37));
    assert.equal(job.graph.pending, 0);
    assert.ok(job.graph.nodes.every((node) => node.closed));
  },

  "an error in a plain operator names the item and the next stage": async (s) => {
    const broken = map((x: number) => {
      if (x === 4) throw new Error("bad");
      return x;
    });
    const error = await failsWith(s, s.source("vol", 10, (i) => i).pipe(s.prefetch({ capacity: 2 }), broken), "ERR_STAGE", /bad/);
    assert.equal(error.where, "in front of sink");
    assert.equal(error.sampleId, "4");
  },

  "an error of our own keeps code, place and message through the stages behind it": async (s) => {
    const fail = async (x: number): Promise<number> => {
      if (x === 2) throw new VoxError("spacing must be > 0 mm, got 0", { code: "ERR_HEADER", where: "readNifti" });
      return x;
    };
    const flow = s.source("s", 5, (i) => i).pipe(s.mapAsync(fail, { name: "load" }), s.prefetch({ capacity: 2 }), s.batchOf({ size: 2 }));
    const error = await failsWith(s, flow, "ERR_HEADER", /^readNifti: spacing must be > 0 mm, got 0 \(sample 2\)$/);
    assert.equal(error.where, "readNifti");
  },

  "a getter of a source that throws names the item": async (s) => {
    const flow = s.source(
      "cases",
      5,
      (i, epoch) => {
        if (epoch === 1 && i === 2) throw new Error("gone");
        return i;
      },
      { epochs: 2 },
    );
    const error = await failsWith(s, flow, "ERR_STAGE", /gone/);
    assert.equal(error.where, "cases");
    assert.equal(error.sampleId, "1:2");
  },

  "an error of a fan-out names the child": async (s) => {
    const children = function* (v: number) {
      yield v;
      if (v === 1) throw new Error("no patch");
      yield v;
    };
    const sync = await failsWith(s, s.source("s", 3, (i) => i).pipe(s.fanOut(children, { name: "patch" })), "ERR_STAGE", /no patch/);
    assert.equal(sync.sampleId, "1.1");
    const asynchronous = async function* (v: number) {
      yield* children(v);
    };
    const late = await failsWith(s, s.source("s", 3, (i) => i).pipe(s.fanOut(asynchronous, { name: "patch" })), "ERR_STAGE", /no patch/);
    assert.equal(late.sampleId, "1.1");
  },

  "failed items are skipped in their turn, counted and reported": async (s) => {
    const reported: string[] = [];
    // Item 4 fails first, then 1, then 0 lets go of its place: no clock and no luck in it.
    let failedFirst!: () => void;
    let failedSecond!: () => void;
    const first = new Promise<void>((resolve) => {
      failedFirst = resolve;
    });
    const second = new Promise<void>((resolve) => {
      failedSecond = resolve;
    });
    const nextTurn = (action: () => void): void => void setImmediate(() => setImmediate(action));
    const work = async (x: number): Promise<number> => {
      if (x === 4) nextTurn(failedFirst);
      if (x === 1) await first.then(() => nextTurn(failedSecond));
      if (x === 0) await second;
      if (x % 3 === 1) throw new Error(`bad ${x}`);
      return x;
    };
    const { got, job } = await collect(s, s.source("s", 12, (i) => i).pipe(s.mapAsync(work, { concurrency: 6, onError: "skip", name: "load" })), {
      onSkip: ({ stage, id, message }) => reported.push(`${stage} ${id} ${message}`),
    });
    assert.deepEqual(
      got,
      count(12).filter((x) => x % 3 !== 1),
    );
    assert.deepEqual(
      job.graph.skipped.map((record) => record.id),
      ["1", "4", "7", "10"],
    );
    assert.deepEqual(reported, ["load 1 bad 1", "load 4 bad 4", "load 7 bad 7", "load 10 bad 10"]);
    assert.equal(job.reports().find((report) => report.name === "load")!.skipped, 4);
  },

  "a job, a fan-out and a stage can leave an item out with a reason": async (s) => {
    const { got, job } = await collect(
      s,
      s
        .source("s", 6, (i) => i)
        .pipe(
          s.mapAsync((x, work) => (x === 1 ? work.skip("one") : x), { name: "job" }),
          s.fanOut((x, work) => (x === 3 ? work.skip("three") : [x]), { name: "fan" }),
          s.skipWhen((x) => (x === 5 ? "five" : undefined), { name: "when" }),
        ),
    );
    assert.deepEqual(got, [0, 2, 4]);
    assert.deepEqual(
      job.graph.skipped.map(({ stage, id, message }) => [stage, id, message]),
      [
        ["job", "1", "one"],
        ["fan", "3", "three"],
        ["when", "5.0", "five"],
      ],
    );
  },

  "faults of the run are never skipped": async (s) => {
    const fail = (): number => {
      throw new VoxError("too big", { code: "ERR_MEMORY", where: "pool" });
    };
    await failsWith(s, s.source("s", 3, (i) => i).pipe(s.mapAsync(fail, { onError: "skip" })), "ERR_MEMORY", /too big/);
  },

  "endless epochs of which nothing is left end in an error": async (s) => {
    const fail = (): number => {
      throw new Error("unreadable");
    };
    const flow = s
      .source("s", 3, (i) => i, { epochs: Number.POSITIVE_INFINITY })
      .pipe(s.mapAsync(fail, { concurrency: 2, onError: "skip", name: "load" }));
    await failsWith(
      s,
      flow,
      "ERR_EMPTY",
      /load: at least one item per epoch must be left, but all \d+ were skipped; the last one because: unreadable/,
    );
    const blank = s
      .source("s", 3, (i) => i, { epochs: Number.POSITIVE_INFINITY })
      .pipe(
        s.fanOut((x) => [x, x]),
        s.skipWhen(() => "blank"),
      );
    await failsWith(s, blank, "ERR_EMPTY", /blank/);
  },

  "an epoch that loses all but one item goes on": async (s) => {
    const flow = s
      .source("s", 4, (i) => i, { epochs: Number.POSITIVE_INFINITY })
      .pipe(
        s.skipWhen((x) => (x === 2 ? undefined : "blank")),
        take(20),
      );
    assert.equal((await collect(s, flow)).got.length, 20);
  },

  "operators that break the protocol fail loudly": async (s) => {
    const queue = <T>() => s.prefetch<T>({ capacity: 4 });
    await failsWith(s, s.source("s", 1e9, (i) => i).pipe(delay(1), queue()), "ERR_PROTOCOL", /outside a hop.*via\(\)/);
    await failsWith(
      s,
      s
        .source("s", 1e9, (i) => i)
        .pipe(
          mergeMap(async (x) => x, 4),
          queue(),
        ),
      "ERR_PROTOCOL",
      /outside a hop/,
    );
    await failsWith(
      s,
      s
        .source("s", 10, (i) => i)
        .pipe(
          mergeMap(() => from(count(1000))),
          queue(),
        ),
      "ERR_PROTOCOL",
      /without room.*fanOut\(\)/,
    );
    await failsWith(s, of(1, 2, 3).pipe(queue()), "ERR_PROTOCOL", /outside a hop.*source\(\)/);
    await failsWith(
      s,
      s
        .source("s", 9, (i) => i)
        .pipe(
          s.via(
            filter((x) => x !== 3),
            { capacity: 20 },
          ),
        ),
      "ERR_PROTOCOL",
      /exactly one item/,
    );
    await failsWith(s, s.source("s", 9, (i) => i).pipe(s.via(take(3))), "ERR_PROTOCOL", /exactly one item/);
    await failsWith(s, s.source("s", 9, (i) => i).pipe(s.via(mergeMap((x) => [x, x]))), "ERR_PROTOCOL", /gave more/);
    const [branch] = s.broadcast(
      s.source("s", 9, (i) => i),
      { branches: 2 },
    );
    await failsWith(s, s.zipStages([branch!, branch!] as const), "ERR_PROTOCOL", /branch .* once/);
  },

  "a deadlock is an error that names the stages, not a hang": async (s) => {
    const [x, y] = s.broadcast(
      s.source("s", 100, (i) => i),
      { branches: 2 },
    );
    const flow = s.zipStages([x!.pipe(s.batchOf({ size: 8 })), y!] as const).pipe(s.to(() => {}));
    const error = await failure(s.run("diamond", [flow]).done);
    assert.equal(error.code, "ERR_STUCK");
    assert.match(error.message, /diamond: the graph is stuck: .*zip holds 1 \(starved\).*batch holds \d.*broadcast holds 1 \(blocked\)/);
  },

  "a branch that nobody consumes is an error": async (s) => {
    const [x] = s.broadcast(
      s.source("s", 100, (i) => i),
      { branches: 2 },
    );
    await failsWith(s, x!, "ERR_STUCK", /stuck/);
  },

  "stop aborts what runs and waits for it": async (s) => {
    let aborted = 0;
    let running = 0;
    const work = async (x: number, { signal }: { signal: AbortSignal }): Promise<number> => {
      running++;
      try {
        await sleep(10_000, signal);
      } catch (error) {
        aborted++;
        await sleep(3);
        throw error;
      } finally {
        running--;
      }
      return x;
    };
    const job = s.run("t", [
      s
        .source("s", 1e9, (i) => i)
        .pipe(
          s.mapAsync(work, { concurrency: 6 }),
          s.to(() => {}),
        ),
    ]);
    await sleep(5);
    assert.equal(running, 6);
    await job.stop();
    assert.equal(aborted, 6);
    assert.equal(running, 0);
    assert.equal(job.graph.pending, 0);
    assert.equal(await job.done, "stopped");
    await job.stop();
  },

  "an abort signal ends the run with ERR_STOPPED": async (s) => {
    const controller = new AbortController();
    const work = async (x: number, { signal }: { signal: AbortSignal }): Promise<number> => {
      await sleep(5, signal);
      return x;
    };
    const job = s.run(
      "t",
      [
        s
          .source("s", 1e9, (i) => i)
          .pipe(
            s.mapAsync(work, { concurrency: 2 }),
            s.to(() => {}),
          ),
      ],
      { signal: controller.signal },
    );
    setTimeout(() => controller.abort(new Error("user")), 20);
    const error = await failure(job.done);
    assert.equal(error.code, "ERR_STOPPED");
    assert.match(error.message, /user/);
    assert.equal(job.graph.pending, 0);
  },

  "nothing is consumed after stop has resolved": async (s) => {
    let late = 0;
    let isOver = false;
    const flow = s
      .source("s", 1e6, (i) => i)
      .pipe(
        s.mapAsync(
          async (x) => {
            await sleep(1);
            return x;
          },
          { concurrency: 4 },
        ),
        s.to(() => {
          if (isOver) late++;
        }),
      );
    const job = s.run("t", [flow]);
    await sleep(10);
    await job.stop();
    isOver = true;
    await sleep(10);
    assert.equal(late, 0);
  },
};
