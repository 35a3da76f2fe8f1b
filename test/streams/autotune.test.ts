import { expect, test } from "vitest";
import { autotune, mapAsync, prefetch, type Run, run, source, to } from "../../src/streams/index.js";

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function start(items: number, loadMs: number, trainMs: number, got: number[], concurrency = 1): Run {
  const flow = source("cases", items, (i) => i).pipe(
    mapAsync(
      async (i) => {
        await sleep(loadMs);
        return i;
      },
      { name: "load", concurrency },
    ),
    prefetch({ capacity: 1 }),
    to(
      async (i: number) => {
        got.push(i);
        if (trainMs > 0) await sleep(trainMs);
      },
      { name: "trainer" },
    ),
  );
  return run("tune", [flow]);
}
const jobsOf = (job: Run): number => job.graph.nodes.find((node) => node.name === "load")!.knobs.concurrency!;
const inOrder = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

test("a hungry trainer gets more loaders, within the limit, and the order stays", async () => {
  const got: number[] = [];
  const job = start(250, 8, 0, got);
  const tuner = autotune(job.graph, { jobs: 4, sink: "trainer", everyMs: 30 });
  await job.done;
  tuner.stop();
  expect(tuner.changes.filter((change) => change.startsWith("load"))).toEqual(["load: 2 jobs", "load: 3 jobs", "load: 4 jobs"]);
  expect(jobsOf(job)).toBe(4);
  expect(got).toEqual(inOrder(250));
});

test("loaders that a fed trainer does not need are given back", async () => {
  const got: number[] = [];
  const job = start(60, 2, 12, got, 6);
  const tuner = autotune(job.graph, { jobs: 8, sink: "trainer", everyMs: 25 });
  await job.done;
  tuner.stop();
  expect(jobsOf(job)).toBeLessThan(6);
  expect(jobsOf(job)).toBeGreaterThanOrEqual(1);
  expect(got).toEqual(inOrder(60));
});

test("switched off it changes nothing", async () => {
  const job = start(40, 4, 0, []);
  const tuner = autotune(job.graph, { jobs: 4, sink: "trainer", everyMs: 10, enabled: false });
  await job.done;
  tuner.stop();
  expect(tuner.changes).toEqual([]);
  expect(jobsOf(job)).toBe(1);
});

test("a sink that does not exist leaves the knobs alone", async () => {
  const job = start(40, 4, 0, []);
  const tuner = autotune(job.graph, { jobs: 4, sink: "nobody", everyMs: 10 });
  await job.done;
  tuner.stop();
  expect(tuner.changes).toEqual([]);
});

test("wrong options are refused", () => {
  const job = start(1, 0, 0, []);
  expect(() => autotune(job.graph, { jobs: 0 })).toThrow("autotune: jobs must be an integer >= 1, got 0");
  expect(() => autotune(job.graph, { jobs: 1, everyMs: 0 })).toThrow("autotune: everyMs must be > 0 ms, got 0");
  return job.done;
});
