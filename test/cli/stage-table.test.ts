import { describe, expect, it } from "vitest";
import { progressLine } from "../../src/cli/progress-line.js";
import { stageTable } from "../../src/cli/stage-table.js";
import { trainingReport } from "../../src/cli/training-report.js";
import type { RunEvent, StageReport } from "../../src/core/run-events.js";

type StagesEvent = Extract<RunEvent, { readonly type: "stages" }>;

const stage = (name: string, fields: Partial<StageReport>): StageReport => ({
  name,
  to: [],
  in: 0,
  out: 0,
  held: 0,
  maxHeld: 0,
  running: 0,
  skipped: 0,
  state: "busy",
  busyMs: 0,
  blockedMs: 0,
  starvedMs: 0,
  workMs: 0,
  knobs: {},
  ...fields,
});
const at = (t: number, stages: readonly StageReport[], verdict = ""): StagesEvent => ({
  t,
  type: "stages",
  graph: "training",
  stages,
  bytesInUse: 512 * 1024 ** 2,
  budget: 1024 ** 3,
  verdict,
});
/** A stage after `seconds` at a steady pace. */
const steady = (seconds: number): readonly StageReport[] => [
  stage("load", {
    out: 2 * seconds,
    bytesOut: 4 * 1024 ** 2 * seconds,
    bytesHeld: 2 * 1024 ** 2,
    held: 1,
    maxHeld: 4,
    running: 2,
    knobs: { concurrency: 3 },
    busyMs: 750 * seconds,
    blockedMs: 250 * seconds,
  }),
  stage("trainer", {
    in: 20 * seconds,
    bytesIn: 1024 ** 2 * seconds,
    bytesHeld: 0,
    maxHeld: 2,
    busyMs: 900 * seconds,
    starvedMs: 100 * seconds,
    skipped: 3,
  }),
];

describe("stageTable", () => {
  it("shows rates and shares of the last seconds", () => {
    const table = stageTable();
    expect(table.lines()).toEqual([]);
    table.add(at(0, steady(0)));
    expect(table.lines()).toEqual([]);
    table.add(at(2_000, steady(2), "all is well"));
    expect(table.rows().map(({ itemsPerSecond, busy, blocked, starved }) => [itemsPerSecond, busy, blocked, starved])).toEqual([
      [2, 0.75, 0.25, 0],
      [20, 0.9, 0, 0.1],
    ]);
    expect(table.lines()).toEqual([
      "stage    items/s  MB/s  queue    held  jobs  busy  blocked  starved  skipped",
      "load         2.0   4.0    1/4  2.0 MB   2/3  75 %     25 %      0 %        0",
      "trainer     20.0   1.0    0/2     0 B     0  90 %      0 %     10 %        3",
      "memory 512 MB of 1.0 GB; all is well",
    ]);
  });

  it("forgets what is longer ago than a few seconds, and another graph", () => {
    const table = stageTable();
    for (const second of [0, 1, 2, 3, 4]) table.add(at(1_000 * second, steady(second)));
    // From here on nothing moves.
    for (const second of [5, 6, 7, 8, 9]) table.add(at(1_000 * second, steady(4)));
    expect(table.rows().map((row) => row.itemsPerSecond)).toEqual([0, 0]);
    table.add(at(10_000, steady(1)));
    expect(table.rows()).toEqual([]);
  });
});

/** What a terminal of a width shows, or what a file gets. */
function fakeStream(isTTY: boolean): { readonly stream: NodeJS.WriteStream; readonly written: string[] } {
  const written: string[] = [];
  // Only what the progress line uses.
  return { stream: { isTTY, columns: 40, rows: 5, write: (text: string) => written.push(text) } as never, written };
}

describe("progressLine", () => {
  it("rewrites all its lines on a terminal, cut to its size, and leaves only what is final", () => {
    const { stream, written } = fakeStream(true);
    const line = progressLine({ stream });
    line.update("step 1", () => ["a table", "of three", "lines", "is cut", "here"]);
    expect(written).toEqual(["step 1\na table\nof three\nlines"]);
    line.end("epoch 1");
    expect(written.slice(1)).toEqual(["\r\u001b[3A\u001b[J", "epoch 1\n"]);
    line.update("x".repeat(80));
    expect(written.at(-1)).toBe("x".repeat(39));
  });

  it("writes plain lines elsewhere, and the table now and then", () => {
    const { stream, written } = fakeStream(false);
    let reads = 0;
    const table = () => {
      reads++;
      return ["table"];
    };
    const line = progressLine({ stream, plainEveryMs: 0, plainTableEveryMs: 1e9 });
    line.update("step 1", table);
    line.update("step 2", table);
    line.end("epoch 1");
    expect([written, reads]).toEqual([["step 1\n", "step 2\n", "epoch 1\n"], 0]);
    const often = progressLine({ stream, plainEveryMs: 0, plainTableEveryMs: 0 });
    often.update("step 3", table);
    expect(written.at(-1)).toBe("step 3\ntable\n");
  });
});

describe("trainingReport", () => {
  it("tells steps with the table below, the share of waiting, and the time left", () => {
    const lines: string[] = [];
    const shown: string[] = [];
    const report = trainingReport({
      update: (text, below) => void shown.push([text, ...(below?.() ?? [])].join("\n")),
      end: (text) => void lines.push(text ?? ""),
    });
    report.onEvent({ t: 0, type: "start", run: "kits", seed: 0, engine: "native", epochs: 2, classes: ["a", "b"], pid: 1, stepsPerEpoch: 2 });
    report.onEvent(at(0, steady(0)));
    report.onEvent(at(1_000, steady(1)));
    report.onEvent({
      t: 1,
      type: "step",
      step: 1,
      epoch: 1,
      loss: 0.5,
      metrics: { softDice: 0.25, softDice_b: 0.1 },
      learningRate: 1e-3,
      waitMs: 10,
      stepMs: 90,
      remainingSeconds: 125,
    });
    expect(lines).toEqual(["training kits on engine native"]);
    expect(shown[0]).toMatch(/^epoch 1\/2 step 1\/2: loss 0\.5000, softDice 0\.250, 90 ms a step, waiting 10\.0 %, 2 min 05 s left\nstage +items/);
  });
});
