import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/run-events.js";
import { diceLoss, softDice, type TrainingMetric } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { load } from "../../src/operators/load/load.js";
import { patch } from "../../src/operators/patch/patch.js";
import { batch } from "../../src/operators/stream/batch.js";
import { loadBundle } from "../../src/training/bundle/load-bundle.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import { cosine } from "../../src/training/schedules/cosine.js";
import { warmUp } from "../../src/training/schedules/warm-up.js";
import { type TrainOptions, train } from "../../src/training/train.js";
import { tinyData } from "./tiny-case.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-steps-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const config = (name: string, size: number, training: Partial<TrainingConfig["training"]>, extra: Partial<TrainingConfig> = {}): TrainingConfig => ({
  name,
  data: tinyData(4),
  split: { validation: ["case_3"] },
  graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 8, 8], perCase: 4 }), batch({ size })),
  model: unet({ filters: 2, depth: 1, normalization: "instance" }),
  loss: diceLoss(),
  metrics: [softDice()],
  training: { epochs: 2, learningRate: 1e-2, ...training },
  workers: 0,
  memory: "64MB",
  runs: root,
  ...extra,
});
const eventsOf = (name: string): RunEvent[] =>
  readFileSync(join(root, name, "events.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RunEvent);
const steps = (name: string) =>
  eventsOf(name).flatMap((event) => (event.type === "step" ? [{ step: event.step, loss: event.loss, rate: event.learningRate }] : []));
const bundleSha = (name: string, kind: "latest" | "best"): string =>
  (JSON.parse(readFileSync(join(root, name, "checkpoints", kind, "bundle.json"), "utf8")) as { weights: { sha256: string } }).weights.sha256;
const weights = async (name: string, kind: "latest" | "best"): Promise<number[]> => {
  const { model } = await loadBundle(join(root, name, "checkpoints", kind));
  const values = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
  model.dispose();
  return values;
};

describe("accumulated gradients", () => {
  it("are those of one large batch", async () => {
    await train(config("large", 4, {}));
    await train(config("small", 2, { accumulate: 2 }));
    const [large, small] = [steps("large"), steps("small")];
    expect(small.length).toBe(6);
    for (const [k, { loss }] of large.entries()) expect(small[k]!.loss).toBeCloseTo(loss, 5);
    const [a, b] = [await weights("large", "latest"), await weights("small", "latest")];
    for (const [k, value] of a.entries()) expect(b[k]).toBeCloseTo(value, 4);
    // Without accumulation the small batches lead elsewhere.
    await train(config("single", 2, {}));
    expect(steps("single").length).toBe(12);
  });
  it("never reach into the next epoch: the last step takes what is left", async () => {
    // Three cases of four patches in batches of two are six batches: steps of 4 and 2.
    await train(config("rest", 2, { accumulate: 4 }));
    expect(eventsOf("rest").flatMap((event) => (event.type === "epoch" ? [[event.epoch, event.step]] : []))).toEqual([[1, 2], [2, 4]]); // biome-ignore format: one epoch a pair
  });
  it("keep no tensors from step to step", async () => {
    const before = tf.memory().numTensors;
    const counts: number[] = [];
    await train(config("memory", 2, { accumulate: 2, ema: 0.9, callbacks: [{ onStep: () => void counts.push(tf.memory().numTensors) }] }));
    expect(new Set(counts.slice(1)).size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("the mean of the weights", () => {
  it("is in the best checkpoint and what is validated, while the weights themselves learn on", async () => {
    await train(config("plain", 2, {}));
    await train(config("averaged", 2, { ema: 0.9 }));
    // The weights go the same way.
    expect(steps("averaged")).toEqual(steps("plain"));
    expect(bundleSha("averaged", "latest")).toBe(bundleSha("plain", "latest"));
    const validation = (name: string) => eventsOf(name).flatMap((event) => (event.type === "epoch" ? [event.validationLoss] : []));
    expect(validation("averaged")).not.toEqual(validation("plain"));
    expect(bundleSha("averaged", "best")).not.toBe(bundleSha("plain", "best"));
  });
});

describe("resuming", () => {
  const everything = {
    optimizer: { name: "adamw", weightDecay: 0.05 },
    schedule: warmUp({ steps: 3, schedule: cosine({ minRate: 1e-4 }) }),
    accumulate: 2,
    ema: 0.9,
    clipNorm: 1,
    epochs: 3,
  } as const;
  // Batch normalization, whose moving statistics follow each batch; dropout, which is keyed by batch.
  const model = unet({ filters: 2, depth: 1, dropout: 0.2 });
  const run = (name: string, extra: Partial<TrainingConfig>, options?: TrainOptions) =>
    train(config(name, 2, everything, { model, ...extra }), options);

  it("goes on bit for bit with all of it, also when stopped between two batches of a step", async () => {
    await run("whole", {});
    expect(steps("whole").length).toBe(9);
    expect(steps("whole").map(({ rate }) => rate)[0]).toBeCloseTo(1e-2 / 3, 8);
    // The metric is asked once a batch in training: the 4th batch ends the 2nd step, the 5th is half of the 3rd.
    for (const stopAt of [4, 5]) {
      const name = `stopped-${stopAt}`;
      const controller = new AbortController();
      let batches = 0;
      const stops: TrainingMetric = Object.defineProperty(
        (logits: tf.Tensor, target: tf.Tensor) => {
          if (++batches === stopAt) controller.abort("enough");
          return softDice()(logits, target);
        },
        "name",
        { value: "softDice" },
      );
      const stopped = await run(name, { metrics: [stops] }, { signal: controller.signal });
      expect(stopped).toMatchObject({ status: "stopped", steps: 2 });
      const done = await run(name, {}, { resume: true });
      expect(done).toMatchObject({ status: "completed", steps: 9 });
      expect(steps(name)).toEqual(steps("whole"));
      expect(bundleSha(name, "latest")).toBe(bundleSha("whole", "latest"));
      expect(bundleSha(name, "best")).toBe(bundleSha("whole", "best"));
      const optimizer = (run: string) => readFileSync(join(root, run, "checkpoints/latest/optimizer.bin"));
      expect(optimizer(name).equals(optimizer("whole"))).toBe(true);
    }
  });
  it("refuses another number of batches per step or another mean", async () => {
    await train(config("fixed", 2, { accumulate: 2, ema: 0.9 }));
    await expect(train(config("fixed", 2, { accumulate: 3, ema: 0.9 }), { resume: true })).rejects.toThrow("its accumulate is 2 and now 3");
    await expect(train(config("fixed", 2, { accumulate: 2 }), { resume: true })).rejects.toThrow("its ema is 0.9 and now undefined");
  });
});
