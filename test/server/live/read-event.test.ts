import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readEvent } from "../../../src/server/live/read-event.js";
import { RunRecord } from "../../../src/server/live/run-record.js";

describe("readEvent", () => {
  test("takes any JSON without throwing, and what it lets through can be folded and sent", () => {
    const types = fc.constantFrom(
      "start",
      "step",
      "epoch",
      "stages",
      "preview",
      "checkpoint",
      "skip",
      "warning",
      "prediction",
      "evaluation",
      "end",
      "other",
    );
    const fields = fc.dictionary(
      fc.constantFrom(
        "step",
        "epoch",
        "loss",
        "metrics",
        "stages",
        "kind",
        "status",
        "message",
        "id",
        "path",
        "classes",
        "validationMetrics",
        "t",
        "__proto__",
      ),
      fc.jsonValue() as fc.Arbitrary<unknown>,
    );
    fc.assert(
      fc.property(types, fields, fc.double(), (type, content, t) => {
        const event = readEvent(JSON.parse(JSON.stringify({ t, ...content, type })));
        if (!event) return;
        const record = new RunRecord();
        record.apply(event);
        RunRecord.fromJSON(JSON.parse(JSON.stringify(record)));
      }),
      { numRuns: 500 },
    );
  });

  test("takes null for a loss that diverged", () => {
    const event = readEvent({ t: 1, type: "step", step: 3, epoch: 0, loss: null, metrics: {}, learningRate: 1e-4, waitMs: 1, stepMs: 2 });
    expect(event).toMatchObject({ type: "step", loss: Number.NaN });
  });

  test("refuses a step without its number", () => {
    expect(readEvent({ t: 1, type: "step", epoch: 0, loss: 1 })).toBeUndefined();
    expect(readEvent({ t: 1, type: "step", step: -1, epoch: 0, loss: 1 })).toBeUndefined();
  });

  test("cuts absurdly long texts", () => {
    const event = readEvent({ t: 1, type: "warning", message: "x".repeat(100_000) }) as { message: string };
    expect(event.message.length).toBe(2001);
  });

  test("keeps a metric named __proto__ a metric", () => {
    const event = readEvent(JSON.parse('{"t":1,"type":"step","step":0,"epoch":0,"loss":1,"metrics":{"__proto__":0.5}}'));
    const record = new RunRecord();
    record.apply(event!);
    expect(record.steps.names).toContain("metric/__proto__");
    expect(({} as Record<string, unknown>).loss).toBeUndefined();
  });
});
