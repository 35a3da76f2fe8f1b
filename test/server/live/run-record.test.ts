import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseEvent } from "../../../src/server/live/parse-event.js";
import { RunRecord } from "../../../src/server/live/run-record.js";
import { bestScore, summarizeRun } from "../../../src/server/live/summarize-run.js";
import { RunWriter } from "../fixture/run-writer.js";
import { temporaryFolder } from "../fixture/temporary-folder.js";

function eventsOf(writer: RunWriter) {
  return readFileSync(writer.file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => parseEvent(line)!);
}

function fold(events: ReturnType<typeof eventsOf>): RunRecord {
  const record = new RunRecord();
  for (const event of events) record.apply(event);
  return record;
}

const about = { now: Date.now(), modified: Date.now(), corruptLines: 0, progress: 1 };

describe("RunRecord", () => {
  test("a page that folds the rest into the record of the first half has the whole record", () => {
    const writer = new RunWriter({ folder: temporaryFolder(), epochs: 4, stepsPerEpoch: 400 });
    writer.complete();
    const events = eventsOf(writer);
    const whole = fold(events);
    for (const at of [0, 1, 500, 1400, events.length]) {
      const copy = RunRecord.fromJSON(JSON.parse(JSON.stringify(fold(events.slice(0, at)))));
      for (const event of events.slice(at)) copy.apply(event);
      const [a, b] = [JSON.parse(JSON.stringify(whole)), JSON.parse(JSON.stringify(copy))];
      // Means travel as means: they may differ in the last digit.
      const means = (state: any) => [...state.steps.columns, ...state.epochs.columns].flatMap((column: any) => column.mean.splice(0));
      const [meansA, meansB] = [means(a), means(b)];
      expect(b).toEqual(a);
      expect(meansB).toHaveLength(meansA.length);
      meansB.forEach((value: number, i: number) => {
        expect(value).toBeCloseTo(meansA[i], 9);
      });
    }
  });

  test("a resumed run replaces the steps and epochs after its checkpoint", () => {
    const folder = temporaryFolder();
    const writer = new RunWriter({ folder, epochs: 10, stepsPerEpoch: 20 });
    writer.start();
    writer.until(95);
    writer.start(40);
    writer.step = 40;
    writer.until(50);
    const record = fold(eventsOf(writer));
    expect(record.steps.lastX).toBe(50);
    expect(record.steps.rows).toBe(50);
    expect(record.epochs.lastX).toBe(2);
    expect(record.starts).toBe(2);
  });

  test("a new run in an old folder starts from nothing", () => {
    const writer = new RunWriter({ folder: temporaryFolder(), epochs: 4, stepsPerEpoch: 20 });
    writer.complete();
    writer.start();
    const record = fold(eventsOf(writer));
    expect(record.steps.rows).toBe(0);
    expect(record.epochs.rows).toBe(0);
    expect(record.end).toBeUndefined();
    expect(summarizeRun("a", record, about).state).toBe("running");
  });

  test("lists stay bounded and keep their count", () => {
    const record = new RunRecord();
    for (let i = 0; i < 5000; i++) record.apply({ t: i, type: "warning", message: String(i) });
    expect(record.warnings.count).toBe(5000);
    expect(record.warnings.last).toHaveLength(200);
    expect(record.warnings.last.at(-1)!.message).toBe("4999");
  });
});

describe("summarizeRun", () => {
  test("tells running, silent, ended and empty runs apart", () => {
    const record = new RunRecord();
    expect(summarizeRun("a", record, about).state).toBe("empty");
    record.apply({ t: about.now, type: "start", run: "a", seed: 1, engine: "cpu", epochs: 3, classes: [], pid: 1 });
    expect(summarizeRun("a", record, about).state).toBe("running");
    expect(summarizeRun("a", record, { ...about, modified: about.now - 10 * 60_000 }).state).toBe("silent");
    record.apply({ t: about.now, type: "end", status: "failed", message: "loss is not finite" });
    expect(summarizeRun("a", record, about)).toMatchObject({ state: "failed", message: "loss is not finite" });
  });

  test("the best score is the highest Dice, but the lowest distance", () => {
    const record = new RunRecord();
    const epoch = (at: number, validationMetrics: Record<string, number>) =>
      record.apply({
        t: at,
        type: "epoch",
        epoch: at,
        step: at,
        loss: 1,
        metrics: {},
        validationMetrics,
        learningRate: 1,
        seconds: 1,
        remainingSeconds: 1,
        waitShare: 0,
      });
    [0.4, 0.8, 0.6].forEach((softDice, i) => {
      epoch(i, { softDice });
    });
    expect(bestScore(record)).toEqual({ name: "softDice", value: 0.8, epoch: 1, isValidation: true });
    const distances = new RunRecord();
    [9, 4, 6].forEach((hd95, i) => {
      distances.apply({
        t: i,
        type: "epoch",
        epoch: i,
        step: i,
        loss: 1,
        metrics: { hd95 },
        learningRate: 1,
        seconds: 1,
        remainingSeconds: 1,
        waitShare: 0,
      });
    });
    expect(bestScore(distances)).toEqual({ name: "hd95", value: 4, epoch: 1, isValidation: false });
  });

  test("the small curve has at most forty values", () => {
    const writer = new RunWriter({ folder: temporaryFolder(), epochs: 130, stepsPerEpoch: 2 });
    writer.start();
    writer.until(260);
    const { spark } = summarizeRun("a", fold(eventsOf(writer)), about);
    expect(spark).toHaveLength(40);
    expect(spark[0]!).toBeGreaterThan(spark[39]!);
  });
});
