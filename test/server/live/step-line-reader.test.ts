import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseEvent } from "../../../src/server/live/parse-event.js";
import { StepLineReader } from "../../../src/server/live/step-line-reader.js";

const step = (fields: object = {}) =>
  JSON.stringify({
    t: 1795417399775,
    type: "step",
    step: 12,
    epoch: 1,
    loss: 0.6757098547305214,
    metrics: { softDice: 0.37, 'a "quoted" \\ é 1': -2e-7 },
    learningRate: 1e-4,
    waitMs: 0,
    stepMs: 343.82836271538014,
    remainingSeconds: 147.2,
    ...fields,
  });

function learned(line = step()): StepLineReader {
  const reader = new StepLineReader();
  reader.learn(line);
  return reader;
}

const readAll = (reader: StepLineReader, line: string) => reader.read(line, 0, line.length);

describe("StepLineReader", () => {
  test("gives the numbers that the JSON parser gives, to fifteen digits", () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.constantFrom(0, 1e-7, 123456789012345680000, 5e-324),
    );
    const reader = learned();
    fc.assert(
      fc.property(fc.nat(), fc.nat(), number, number, number, (t, at, loss, a, b) => {
        const line = step({ t, step: at, loss: loss + 0, metrics: { softDice: a + 0, 'a "quoted" \\ é 1': b + 0 } });
        expect(readAll(reader, line)).toBe(true);
        const event = parseEvent(line)!;
        expect(reader.time).toBe(t);
        expect(reader.step).toBe(at);
        expect(reader.names).toEqual(["loss", "learningRate", "waitMs", "stepMs", "metric/softDice", 'metric/a "quoted" \\ é 1']);
        const expected = [loss + 0, 1e-4, 0, 343.82836271538014, a + 0, b + 0];
        expected.forEach((value, i) => {
          expect(Math.abs(reader.values[i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 4e-16);
        });
        expect(reader.event()).toEqual(event);
      }),
      { numRuns: 300 },
    );
  });

  test("reads a line inside a longer text", () => {
    const line = step({ step: 77 });
    const text = `xyz\n${line}\nrest`;
    const reader = learned();
    expect(reader.read(text, 4, 4 + line.length)).toBe(true);
    expect(reader.step).toBe(77);
  });

  test("leaves every other line to the JSON parser", () => {
    const reader = learned();
    const line = step();
    for (const other of [
      "",
      "{}",
      line.slice(0, -1),
      `${line} `,
      line.replace("softDice", "softdice"),
      line.replace('"loss":0.6757098547305214', '"loss":null'),
      line.replace('"step":12', '"step":-12'),
      line.replace('"step":12', '"step":1.5'),
      line.replace('"step":12', '"step":1-2'),
      line.replace('"loss":0.6757098547305214', '"loss":'),
      line.replace('"loss":0.6757098547305214', '"loss":-'),
      line.replace('"loss":0.6757098547305214', '"loss":1.2.3'),
      line.replace('"type":"step"', '"type":"stop"'),
      JSON.stringify({ t: 1, type: "warning", message: "m" }),
    ])
      expect(readAll(reader, other), other).toBe(false);
    expect(new StepLineReader().read(line, 0, line.length)).toBe(false);
  });

  test("does not learn from lines it cannot stand for", () => {
    const diverged = step({ loss: null });
    expect(readAll(learned(diverged), diverged)).toBe(false);
    const many = step({ metrics: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`m${i}`, i])) });
    expect(readAll(learned(many), many)).toBe(false);
  });
});
