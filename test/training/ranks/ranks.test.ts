import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunEvent } from "../../../src/core/run-events.js";
import { crossEntropyLoss, softDice } from "../../../src/losses/index.js";
import { unet } from "../../../src/models/index.js";
import { load } from "../../../src/operators/load/load.js";
import { patch } from "../../../src/operators/patch/patch.js";
import { batch } from "../../../src/operators/stream/batch.js";
import type { TrainingConfig } from "../../../src/training/index.js";
import { rankMessage } from "../../../src/training/ranks/rank-message.js";
import { type TrainOptions, type TrainResult, train } from "../../../src/training/train.js";
import { tinyData } from "../tiny-case.js";
import { meetingRanks } from "./meeting-ranks.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-ranks-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const graphOf =
  (size: number, perCase = 1): TrainingConfig["graph"] =>
  ({ cases }) =>
    cases.pipe(load(), patch({ size: [1, 8, 8], perCase }), batch({ size }));

const config = (name: string, extra: Partial<TrainingConfig> = {}): TrainingConfig => ({
  name,
  data: tinyData(6),
  graph: graphOf(1),
  model: unet({ filters: 2, depth: 1, normalization: "none" }),
  loss: crossEntropyLoss(),
  metrics: [softDice()],
  training: { epochs: 3, learningRate: 1e-2, checkpoint: { everyMinutes: 1000 } },
  workers: 0,
  memory: "64MB",
  runs: root,
  ...extra,
});

/** Trains with several ranks; gives how it ended on each. */
async function trainTogether(size: number, given: TrainingConfig, options: (rank: number) => TrainOptions = () => ({})) {
  const { ranks, ended } = meetingRanks(size);
  const results = await Promise.allSettled(ranks.map((own) => train(given, { ...options(own.rank), ranks: own })));
  const values = results.map((result) => (result.status === "fulfilled" ? result.value : undefined));
  const errors = results.map((result) => (result.status === "rejected" ? (result.reason as { code: string; message: string }) : undefined));
  return { values, errors, ended };
}

const weightsOf = ({ folder }: Pick<TrainResult, "folder">): Float32Array => {
  const bytes = readFileSync(join(folder, "checkpoints", "latest", "weights.bin"));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};
const historyOf = (folder: string): number[][] =>
  readFileSync(join(folder, "history.tsv"), "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t").map(Number));
const eventsOf = (folder: string): RunEvent[] =>
  readFileSync(join(folder, "events.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RunEvent);

describe("several ranks", () => {
  it.each([
    [2, 1],
    [3, 2],
  ])("learn what one process learns from a batch of theirs together, of %i cases in batches of %i", async (cases, size) => {
    // All cases are in every step, on whichever rank.
    const data = tinyData(cases);
    const training = { epochs: 8, learningRate: 1e-2, clipNorm: 1, ema: 0.9 };
    const alone = await train(config(`alone-${cases}`, { data, training, graph: graphOf(cases) }));
    const { values, errors } = await trainTogether(2, config(`together-${cases}`, { data, training, graph: graphOf(size) }));
    expect(errors).toEqual([undefined, undefined]);
    expect(values[0]).toMatchObject({ steps: 8, epochs: 8, status: "completed" });
    const [expected, found] = [weightsOf(alone), weightsOf(values[0]!)];
    expect(Math.max(...expected.map((value, i) => Math.abs(value - found[i]!)))).toBeLessThan(1e-5);
    expect(values[1]!.loss).toBe(values[0]!.loss);
    expect(values[0]!.loss).toBeCloseTo(alone.loss!, 5);
  });

  it("train each case once an epoch when their shares differ, and weigh them by their samples", async () => {
    const training = { epochs: 2, learningRate: 1e-30 };
    const alone = await train(config("uneven-alone", { data: tinyData(5), training }));
    const { values } = await trainTogether(2, config("uneven", { data: tinyData(5), training }));
    // Three cases on rank 0, two on rank 1.
    expect(values[0]).toMatchObject({ steps: 6 });
    expect(alone.steps).toBe(10);
    for (const [k, row] of historyOf(values[0]!.folder).entries()) {
      for (const [i, value] of historyOf(alone.folder)[k]!.entries()) expect(row[i]).toBeCloseTo(value, 5);
    }
  });

  it("share the validation of patches and of whole cases", async () => {
    const split = { validation: ["case_1", "case_2", "case_4"] };
    const training = { epochs: 2, learningRate: 1e-30 };
    const extra = { split, training, validation: { cases: { every: 1 } } };
    const alone = await train(config("validates-alone", extra));
    const { values } = await trainTogether(2, config("validates", extra));
    const rows = historyOf(values[0]!.folder);
    expect(rows[0]!.length).toBeGreaterThan(6);
    for (const [k, row] of rows.entries()) {
      for (const [i, value] of historyOf(alone.folder)[k]!.entries()) expect(row[i]).toBeCloseTo(value, 5);
    }
    // More ranks than cases to validate: the others wait.
    const three = await trainTogether(3, config("validates-three", { ...extra, split: { validation: ["case_1", "case_2"] } }));
    expect(three.errors).toEqual([undefined, undefined, undefined]);
  });

  it("write one run: the first rank its files, the others what happens to them", async () => {
    const { values } = await trainTogether(2, config("files"));
    const { folder } = values[0]!;
    expect(values[1]!.folder).toBe(folder);
    expect(JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"))).toMatchObject({ ranks: 2 });
    expect(existsSync(join(folder, "ranks", "1", "manifest.json"))).toBe(false);
    expect(existsSync(join(folder, "ranks", "1", "checkpoints", "latest"))).toBe(false);
    expect(eventsOf(join(folder, "ranks", "1")).filter(({ type }) => type === "step")).toHaveLength(9);
  });

  it("stop together by a signal to one, and resume bit for bit", async () => {
    const extra = { graph: graphOf(1, 3), training: { epochs: 4, learningRate: 1e-2, accumulate: 2 } };
    const whole = await trainTogether(2, config("whole", extra));
    const stop = new AbortController();
    let steps = 0;
    const onStep = () => {
      if (++steps === 3) stop.abort();
    };
    const stopped = await trainTogether(2, config("stopped", { ...extra, training: { ...extra.training, callbacks: [{ onStep }] } }), (rank) =>
      rank === 0 ? { signal: stop.signal } : {},
    );
    expect(stopped.values).toMatchObject([
      { status: "stopped", steps: 3 },
      { status: "stopped", steps: 3 },
    ]);
    const resumed = await trainTogether(2, config("stopped", extra), () => ({ resume: true }));
    expect(resumed.errors).toEqual([undefined, undefined]);
    expect(resumed.values[0]).toMatchObject({ status: "completed", steps: whole.values[0]!.steps });
    expect(weightsOf(resumed.values[0]!)).toEqual(weightsOf(whole.values[0]!));
  });

  it("go on from their own places after two resumes, also when their shares differ and one had nothing to learn in between", async () => {
    const extra = { data: tinyData(5), training: { epochs: 4, learningRate: 1e-2 } };
    const whole = await trainTogether(2, config("uneven-whole", extra));
    // In step 6, the third of the second epoch, rank 1 has no case left.
    for (const last of [5, 6, 7]) {
      const callbacks = [{ onStep: ({ step }: { step: number }, { stop }: { stop(reason: string): void }) => void (step === last && stop("here")) }];
      const part = await trainTogether(2, config("uneven-parts", { ...extra, training: { ...extra.training, callbacks } }), () => ({
        resume: last > 5,
      }));
      expect(part.values[0]).toMatchObject({ steps: last, reason: "here" });
    }
    const resumed = await trainTogether(2, config("uneven-parts", extra), () => ({ resume: true }));
    expect(weightsOf(resumed.values[0]!)).toEqual(weightsOf(whole.values[0]!));
  });

  it("tell numbers that are not finite as they are", async () => {
    const odd = (): tf.Tensor => tf.scalar(Number.NaN);
    const { values } = await trainTogether(2, config("not-finite", { metrics: [odd], training: { epochs: 1 } }));
    expect(values[0]!.metrics).toEqual({ odd: Number.NaN });
    const numbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5, null];
    expect(rankMessage.decode(rankMessage.encode({ numbers }))).toEqual({ numbers });
  });

  it("stop together when a callback of the first says so", async () => {
    const callbacks = [{ onStep: ({ step }: { step: number }, { stop }: { stop(reason: string): void }) => void (step === 4 && stop("enough")) }];
    const { values } = await trainTogether(3, config("callback", { training: { epochs: 50, callbacks } }));
    for (const value of values) expect(value).toMatchObject({ status: "completed", reason: "enough", steps: 4 });
  });

  it("fail together when one fails, and the run says which and why", async () => {
    const broken = ["case_3"];
    const { errors, ended } = await trainTogether(2, config("fails", { data: tinyData(6, { broken }) }));
    expect(errors[0]!.message).toMatch(/^rank 1: .*this case cannot be read/);
    expect(errors[1]!.message).toContain("case_3");
    expect(ended).toEqual([]);
    const end = eventsOf(join(root, "fails")).at(-1);
    expect(end).toMatchObject({ type: "end", status: "failed", message: errors[0]!.message });
  });

  it("tell the first of cases that another leaves out, and its checkpoint remembers them", async () => {
    const { values, errors } = await trainTogether(2, config("skips", { data: tinyData(6, { broken: ["case_3"] }), onError: "skip" }));
    expect(errors).toEqual([undefined, undefined]);
    const { folder } = values[0]!;
    expect(eventsOf(folder).filter(({ type }) => type === "skip")).toMatchObject([{ id: "case_3", stage: "rank 1" }]);
    const { state } = JSON.parse(readFileSync(join(folder, "checkpoints", "latest", "state.json"), "utf8"));
    expect(state.quarantined).toMatchObject([{ id: "case_3" }]);
    expect(state.positions).toHaveLength(2);
  });

  it("count failed cases of all ranks together against the budget, and all end when it is used up", async () => {
    // One on each rank: within the budget of each, but not of the run.
    const broken = config("budget", { data: tinyData(8, { broken: ["case_2", "case_3"] }), onError: "skip", skipBudget: 1 });
    const { errors, ended } = await trainTogether(2, broken);
    expect(ended).toEqual([]);
    for (const error of errors) {
      expect(error).toMatchObject({
        code: "ERR_DATA",
        message: expect.stringContaining("at most 1 samples may fail on all ranks together (skipBudget), but 2 did: case_2, case_3"),
      });
    }
    expect((await trainTogether(2, { ...broken, name: "budget-2", skipBudget: 2 })).errors).toEqual([undefined, undefined]);
  });

  it("refuse fewer cases than ranks, other cases on one, and a checkpoint of another number of them", async () => {
    const few = await trainTogether(3, config("few", { data: tinyData(2) }));
    expect(few.errors[0]).toMatchObject({
      code: "ERR_CONFIG",
      message: "train: there must be at least one training case per rank, got 2 for 3 ranks",
    });
    const { ranks } = meetingRanks(2);
    const others = await Promise.allSettled(ranks.map((own) => train(config("others", { data: tinyData(6 + own.rank) }), { ranks: own })));
    expect((others[0] as PromiseRejectedResult).reason).toMatchObject({
      code: "ERR_DATA",
      message: "train: all ranks must see the same case files, but those of rank 1 differ from those of rank 0 in name, number or size",
    });
    await trainTogether(2, config("number"));
    const three = await trainTogether(3, config("number"), () => ({ resume: true }));
    expect(three.errors[0]).toMatchObject({ code: "ERR_CHECKPOINT" });
    expect(three.errors[0]!.message).toContain("its ranks is 2 and now 3");
  });
});
