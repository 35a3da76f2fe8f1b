import { describe, expect, test } from "vitest";
import type { StageReport } from "../../../src/core/run-events.js";
import { RunRecord } from "../../../src/server/live/run-record.js";
import { bottleneck, stageActivity } from "../../../src/server/page/data/stage-activity.js";

interface Ways {
  readonly busy?: number;
  readonly blocked?: number;
  readonly starved?: number;
  readonly work?: number;
  readonly out?: number;
  readonly concurrency?: number;
}

function report(name: string, seconds: number, { busy = 0, blocked = 0, starved = 0, work, out = 0, concurrency = 1 }: Ways): StageReport {
  const ms = seconds * 1000;
  return {
    name,
    to: [],
    in: 0,
    out: Math.round(out * seconds),
    held: 0,
    maxHeld: 1,
    running: 0,
    skipped: 0,
    state: "busy",
    busyMs: busy * ms,
    blockedMs: blocked * ms,
    starvedMs: starved * ms,
    workMs: (work ?? busy) * ms,
    knobs: { concurrency },
  };
}

/** Reports every second, of stages that change their ways after a minute. */
function activities(before: Ways, after: Ways, trainer: Ways) {
  const record = new RunRecord();
  for (let second = 1; second <= 120; second++) {
    const early = report("augment", Math.min(second, 60), before);
    const late = report("augment", Math.max(0, second - 60), after);
    const sum = { ...early };
    for (const key of ["out", "busyMs", "blockedMs", "starvedMs", "workMs"] as const) sum[key] = early[key] + late[key];
    record.apply({ t: second * 1000, type: "stages", stages: [sum, report("trainer", second, trainer)], bytesInUse: 1, budget: 2, verdict: "" });
  }
  const { latest, moments } = record.graphs.training!;
  return latest.stages.map((stage) => stageActivity(stage, moments));
}

describe("stageActivity", () => {
  test("tells the last half minute, not the whole run", () => {
    const [augment] = activities({ starved: 1, out: 1 }, { busy: 0.75, blocked: 0.25, out: 8 }, { busy: 1 });
    expect(augment).toMatchObject({ perSecond: 8, busy: 0.75, blocked: 0.25, starved: 0 });
    expect(augment!.rates).toHaveLength(40);
  });

  test("has no speed after the first report", () => {
    const first = report("read", 1, { busy: 0.5, starved: 0.5, out: 3 });
    expect(stageActivity(first, [])).toMatchObject({ perSecond: undefined, busy: 0.5, starved: 0.5 });
  });

  test("a stage with parallel jobs works at its limit only when all of them do", () => {
    const [half] = activities({ concurrency: 2 }, { busy: 1, work: 1 }, { busy: 1 });
    expect(half!.load).toBeCloseTo(0.5);
    const [full] = activities({ concurrency: 2 }, { busy: 1, work: 1.9 }, { busy: 1 });
    expect(full!.load).toBeCloseTo(0.95);
  });
});

describe("bottleneck", () => {
  test("is the trainer when it hardly waits", () => {
    expect(bottleneck(activities({}, { busy: 0.9, blocked: 0.1 }, { busy: 0.97, starved: 0.03, out: 2 }))).toBe("trainer");
  });

  test("is the stage at its limit when the trainer waits", () => {
    expect(bottleneck(activities({}, { busy: 0.95, starved: 0.05 }, { busy: 0.5, starved: 0.5, out: 2 }))).toBe("augment");
  });

  test("is none when nobody works at a limit", () => {
    expect(bottleneck(activities({}, { busy: 0.5, starved: 0.5 }, { busy: 0.5, starved: 0.5, out: 2 }))).toBeUndefined();
  });
});
