import { expect, test } from "vitest";
import type { StageReport } from "../../src/core/run-events.js";
import { verdict } from "../../src/streams/index.js";

/** A stage over one second. */
function stage(name: string, to: string, times: Partial<StageReport>): StageReport {
  return {
    name,
    to: [to],
    in: 10,
    out: 10,
    held: 1,
    maxHeld: 1,
    running: 1,
    skipped: 0,
    state: "busy",
    busyMs: 0,
    blockedMs: 0,
    starvedMs: 0,
    workMs: 0,
    knobs: {},
    ...times,
  };
}
const trainer = (starvedMs: number, more: Partial<StageReport> = {}): StageReport =>
  stage("trainer", "run", { busyMs: 1000 - starvedMs, starvedMs, workMs: 1000 - starvedMs, ...more });
const load = (use: number, concurrency = 2): StageReport =>
  stage("load", "trainer", { busyMs: 900, starvedMs: 100, workMs: use * concurrency * 1000, knobs: { concurrency, capacity: concurrency } });

test("a trainer that hardly waits is the bottleneck itself", () => {
  expect(verdict([load(0.4), trainer(30)])).toBe("trainer is the bottleneck (97 % busy): loading keeps up; only a faster trainer shortens the run");
});

test("a saturated stage with jobs is told to get more", () => {
  expect(verdict([load(0.95), trainer(600)])).toBe(
    "trainer waits 60 % of its time; the bottleneck is load (95 % used): raise its concurrency (2) or cache its results",
  );
});

test("of several saturated stages the most used is named", () => {
  const clip = stage("clip", "trainer", { busyMs: 1000, workMs: 990, knobs: { concurrency: 1 } });
  expect(verdict([load(0.8), clip, trainer(600)])).toMatch(/the bottleneck is clip \(99 % used\)/);
});

test("a saturated stage without jobs is to become cheaper", () => {
  const patch = stage("patch", "trainer", { busyMs: 980, starvedMs: 20, workMs: 980 });
  expect(verdict([patch, trainer(500)])).toMatch(/the bottleneck is patch \(98 % used\): make patch cheaper, or cache its results/);
});

test("a full budget is named before uneven flow", () => {
  expect(verdict([load(0.3), trainer(500)], { bytesInUse: 950, budget: 1000 })).toMatch(
    /memory is the bottleneck \(95 % of the budget\): raise memory/,
  );
  expect(verdict([load(0.3), trainer(500)], { bytesInUse: 500, budget: 1000 })).toMatch(/no stage is saturated/);
});

test("a queue that is now full and now empty is to become longer", () => {
  const queue = stage("prefetch", "trainer", { blockedMs: 500, starvedMs: 500, knobs: { capacity: 2 } });
  expect(verdict([load(0.5), queue, trainer(300)])).toBe("trainer waits 30 % of its time; the flow is uneven: raise the capacity (2) of prefetch");
});

test("the verdict is about the time since the earlier reports", () => {
  // Starved in the first second, busy in the second.
  const before = [load(0.95), trainer(900)];
  const after = [load(0.95), trainer(900, { busyMs: 1100, workMs: 1100 })];
  expect(verdict(after)).toMatch(/waits 45 %/);
  expect(verdict(after, { before })).toMatch(/^trainer is the bottleneck \(100 % busy\)/);
});

test("a run that begins or has ended says so", () => {
  expect(verdict([])).toBe("no stages");
  expect(verdict([load(1), trainer(1000, { in: 0, busyMs: 0 })])).toBe("warming up: nothing has reached trainer yet");
  expect(verdict([{ ...load(1), state: "done" }, trainer(0, { state: "done" })])).toBe("done");
});

test("of several consumers the hungriest counts, or the named one", () => {
  const validation = stage("validation", "run", { busyMs: 990, starvedMs: 10, workMs: 990 });
  expect(verdict([load(0.95), validation, trainer(600)])).toMatch(/^trainer waits 60 %/);
  expect(verdict([load(0.95), validation, trainer(600)], { sink: "validation" })).toMatch(/^validation is the bottleneck/);
});
