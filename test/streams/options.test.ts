import * as rxjs from "rxjs";
import { map } from "rxjs";
import { describe, expect, test } from "vitest";
import * as streams from "../../src/streams/index.js";

const { batchOf, broadcast, deal, mapAsync, mix, prefetch, shuffle, source, via } = streams;
const numbers = () => source("s", 3, (index) => index);

describe("an option outside its rule is ERR_OPTION when the stage is built", () => {
  const cases: readonly [string, () => unknown, string][] = [
    ["source length", () => source("s", -1, (i) => i), "s: length must be an integer >= 0, got -1"],
    ["source epochs", () => source("s", 1, (i) => i, { epochs: 1.5 }), "s: epochs must be an integer >= 0 or Infinity, got 1.5"],
    ["mapAsync concurrency", () => mapAsync((x) => x, { concurrency: 0 }), 'mapAsync: concurrency must be an integer >= 1 or "tasks", got 0'],
    ["mapAsync capacity", () => mapAsync((x) => x, { name: "load", capacity: 0.5 }), "load: capacity must be an integer >= 1, got 0.5"],
    ["mapAsync keepFree", () => mapAsync((x) => x, { keepFree: -1 }), "mapAsync: keepFree must be >= 0 bytes, got -1"],
    ["batchOf size", () => batchOf({ size: 0 }), "batch: size must be an integer >= 1, got 0"],
    ["batchOf last", () => batchOf({ size: 1, last: "pad" as "keep" }), 'batch: last must be "keep" or "drop", got "pad"'],
    ["shuffle window", () => shuffle({ window: Number.NaN }), "shuffle: window must be an integer >= 1, got NaN"],
    ["prefetch capacity", () => prefetch({ capacity: 0 }), "prefetch: capacity must be an integer >= 1, got 0"],
    [
      "via capacity",
      () =>
        via(
          map((x) => x),
          { capacity: 0 },
        ),
      "via: capacity must be an integer >= 1, got 0",
    ],
    ["broadcast branches", () => broadcast(numbers(), { branches: 0 }), "broadcast: branches must be an integer >= 1, got 0"],
    ["deal capacity", () => deal(numbers(), { branches: 2, capacity: 0 }), "deal: capacity must be an integer >= 1, got 0"],
    ["mix weight", () => mix([{ from: numbers(), weight: 0 }], { seed: 1 }), "mix: weight must be > 0, got 0"],
  ];
  test.each(cases)("%s", (_, build, message) => {
    expect(build).toThrow(expect.objectContaining({ code: "ERR_OPTION", message }));
  });
});

describe("what a stage needs of the run is asked for when it starts", () => {
  const start = (flow: rxjs.Observable<unknown>) => streams.run("t", [flow.pipe(streams.to(() => {}))]).done;

  test("shuffle and mix need a seed", async () => {
    await expect(start(numbers().pipe(shuffle({ window: 2 })))).rejects.toMatchObject({ code: "ERR_OPTION", where: "shuffle" });
    await expect(start(mix([{ from: numbers(), weight: 1 }]))).rejects.toMatchObject({ code: "ERR_OPTION", where: "mix" });
  });

  test('concurrency "tasks" and bytes need a context', async () => {
    await expect(start(numbers().pipe(mapAsync((x) => x, { concurrency: "tasks" })))).rejects.toMatchObject({
      code: "ERR_OPTION",
      where: "mapAsync",
    });
    await expect(start(numbers().pipe(mapAsync((x) => x, { bytes: () => 1 })))).rejects.toMatchObject({ code: "ERR_OPTION", where: "mapAsync" });
  });
});

test("shuffle keeps the order outside training", async () => {
  const tasks = { concurrency: 1, run: () => Promise.reject(new Error("none")) };
  const { SlabPool } = await import("../../src/core/slab-pool.js");
  const order = async (mode: "training" | "validation" | "prediction"): Promise<number[]> => {
    const context = { seed: 3, mode, pool: new SlabPool({ budget: 1e6 }), tasks, onError: "fail" as const };
    const got: number[] = [];
    for await (const value of streams.iterate(source("s", 20, (i) => i).pipe(shuffle({ window: 7 })), { context })) got.push(value);
    return got;
  };
  const sorted = Array.from({ length: 20 }, (_, i) => i);
  expect(await order("validation")).toEqual(sorted);
  expect(await order("prediction")).toEqual(sorted);
  expect(await order("training")).not.toEqual(sorted);
});

test("onError and concurrency come from the context when the stage does not say", async () => {
  const { SlabPool } = await import("../../src/core/slab-pool.js");
  const context = {
    seed: 1,
    mode: "training" as const,
    pool: new SlabPool({ budget: 1e6 }),
    tasks: { concurrency: 3, run: () => Promise.reject(new Error("none")) },
    onError: "skip" as const,
  };
  const odd = (x: number): number => {
    if (x % 2 === 1) throw new Error("odd");
    return x;
  };
  const job = streams.run(
    "t",
    [
      source("s", 6, (i) => i).pipe(
        mapAsync(odd, { concurrency: "tasks", name: "odd" }),
        streams.to(() => {}),
      ),
    ],
    { context },
  );
  await job.done;
  expect(job.graph.skippedCount).toBe(3);
  expect(job.reports().find((report) => report.name === "odd")!.knobs).toEqual({ concurrency: 3, capacity: 3 });
});

test("no exported name is one of RxJS", () => {
  expect(Object.keys(streams).filter((name) => name in rxjs)).toEqual([]);
});
