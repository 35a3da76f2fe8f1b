import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseEvent } from "../../../src/server/live/parse-event.js";
import { RunRecord } from "../../../src/server/live/run-record.js";
import { placeOf } from "../../../src/server/live/summarize-run.js";
import { RunWriter } from "../fixture/run-writer.js";
import { temporaryFolder } from "../fixture/temporary-folder.js";

function recordOf(write: (writer: RunWriter) => void): RunRecord {
  const writer = new RunWriter({ folder: join(temporaryFolder(), "run"), epochs: 10, stepsPerEpoch: 20 });
  write(writer);
  const record = new RunRecord();
  for (const line of readFileSync(writer.file, "utf8").trim().split("\n")) record.apply(parseEvent(line)!);
  return record;
}

describe("placeOf", () => {
  test("is nowhere before the first step", () => {
    expect(placeOf(recordOf((writer) => writer.start()))).toEqual({ step: undefined, epoch: undefined, inEpoch: undefined, perEpoch: undefined });
  });

  test("counts within the epoch that is under way, and not after its end", () => {
    const at = (steps: number) =>
      placeOf(
        recordOf((writer) => {
          writer.start();
          writer.until(steps);
        }),
      );
    // How long an epoch is shows when the first is over.
    expect(at(7)).toEqual({ step: 7, epoch: 1, inEpoch: undefined, perEpoch: undefined });
    expect(at(20)).toEqual({ step: 20, epoch: 1, inEpoch: undefined, perEpoch: 20 });
    expect(at(47)).toEqual({ step: 47, epoch: 3, inEpoch: 7, perEpoch: 20 });
    expect(at(60)).toEqual({ step: 60, epoch: 3, inEpoch: undefined, perEpoch: 20 });
  });

  test("a run that was resumed in the middle of an epoch stands there before its first new step", () => {
    const record = recordOf((writer) => {
      writer.start();
      writer.until(58);
      writer.start(50);
    });
    expect(placeOf(record)).toEqual({ step: 50, epoch: 3, inEpoch: 10, perEpoch: 20 });
    const fromElsewhere = recordOf((writer) => {
      writer.write({ type: "start", run: "x", seed: 1, engine: "native", epochs: 10, classes: [], pid: 1, resumedAtStep: 47, stepsPerEpoch: 20 });
    });
    expect(placeOf(fromElsewhere)).toEqual({ step: 47, epoch: 3, inEpoch: 7, perEpoch: 20 });
  });

  test("a new run in an old folder begins at nothing", () => {
    const record = recordOf((writer) => {
      writer.start();
      writer.until(58);
      writer.start();
    });
    expect(placeOf(record).step).toBeUndefined();
  });
});
