import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataSet } from "../../src/core/case.js";
import type { RunEvent } from "../../src/core/run-events.js";
import { softDice, tverskyLoss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { load } from "../../src/operators/load/load.js";
import { patch } from "../../src/operators/patch/patch.js";
import { batch } from "../../src/operators/stream/batch.js";
import { mapAsync } from "../../src/streams/index.js";
import { loadBundle } from "../../src/training/bundle/load-bundle.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import type { PreviewInput } from "../../src/training/run/preview-input.js";
import { plateau } from "../../src/training/schedules/plateau.js";
import { train } from "../../src/training/train.js";
import { tinyData } from "./tiny-case.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-training-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const config = (name: string, extra: Partial<TrainingConfig> = {}): TrainingConfig => ({
  name,
  data: tinyData(4),
  split: { validation: 0.25 },
  graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 8, 8], perCase: 2 }), batch({ size: 2 })),
  model: unet({ filters: 2, depth: 1 }),
  loss: tverskyLoss(),
  metrics: [softDice()],
  training: { epochs: 2, learningRate: 1e-2 },
  workers: 0,
  memory: "64MB",
  runs: root,
  ...extra,
});
const training = (options: Partial<TrainingConfig["training"]>): Partial<TrainingConfig> => ({
  training: { epochs: 2, learningRate: 1e-2, ...options },
});
const eventsOf = (folder: string): RunEvent[] =>
  readFileSync(join(folder, "events.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RunEvent);
const rows = (folder: string): string[][] =>
  readFileSync(join(folder, "history.tsv"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
const typesOf = (events: readonly RunEvent[]) => events.map(({ type }) => type).filter((type) => !["stages", "samples", "system"].includes(type));

describe("a run", () => {
  it("writes its folder: events, history, manifest, checkpoints", async () => {
    const heard: RunEvent[] = [];
    const result = await train(config("whole"), { onEvent: (event) => heard.push(event) });
    expect(result).toMatchObject({ status: "completed", epochs: 2, steps: 6, folder: join(root, "whole") });
    const events = eventsOf(result.folder);
    expect(heard).toEqual(events);
    const epoch = ["step", "step", "step", "epoch"];
    expect(typesOf(events).filter((type) => type !== "checkpoint" && type !== "memory")).toEqual(["start", ...epoch, ...epoch, "end"]);
    expect(events.flatMap((event) => (event.type === "memory" ? [event.graph] : []))).toEqual(["training", "validation"]);
    expect(events.some(({ type }) => type === "stages")).toBe(true);
    const steps = events.filter((event) => event.type === "step");
    expect(steps.map(({ step, epoch: number }) => [step, number])).toEqual([[1, 1], [2, 1], [3, 1], [4, 2], [5, 2], [6, 2]]); // biome-ignore format: one step a pair
    expect(Object.keys(steps[0]!.metrics)).toEqual(["softDice", "softDice_background", "softDice_square"]);
    expect(steps.every(({ waitMs, stepMs }) => waitMs >= 0 && stepMs > 0)).toBe(true);

    const [header, first, second] = rows(result.folder);
    expect(header).toEqual([
      ...["epoch", "loss", "softDice", "softDice_background", "softDice_square"],
      ...["val_loss", "val_softDice", "val_softDice_background", "val_softDice_square", "lr"],
    ]);
    expect([first![0], second![0]]).toEqual(["1", "2"]);
    expect(Number(first![1])).toBeCloseTo((steps[0]!.loss + steps[1]!.loss + steps[2]!.loss) / 3, 12);
    expect(result.loss).toBe(Number(second![1]));

    const manifest = JSON.parse(readFileSync(join(result.folder, "manifest.json"), "utf8"));
    expect(manifest).toMatchObject({
      name: "whole",
      seed: 0,
      classes: ["background", "square"],
      model: { name: "unet", options: { filters: 2 } },
      loss: { name: "tverskyLoss" },
    });
    expect(manifest.cases.training.length).toBe(3);
    expect(manifest.preprocessing).toEqual([{ name: "load", params: { nonFinite: "fail", labels: "declared" } }]);
    expect(manifest.dataSet).toMatch(/^[0-9a-f]{64}$/);
    expect(existsSync(join(result.folder, "checkpoints/latest/state.json"))).toBe(true);
    const best = await loadBundle(join(result.folder, "checkpoints/best"));
    expect(best.description).toMatchObject({ patch: [1, 8, 8], channels: 1, classes: ["background", "square"] });
  });

  it("is the same for the same seed and differs for another", async () => {
    const losses = async (name: string, seed: number) =>
      eventsOf((await train(config(name, { seed, ...training({ epochs: 1 }) }))).folder).flatMap((event) =>
        event.type === "step" ? [event.loss] : [],
      );
    const first = await losses("seeded", 7);
    expect(await losses("seeded", 7)).toEqual(first);
    expect(await losses("seeded", 8)).not.toEqual(first);
    expect(existsSync(join(root, "seeded-3"))).toBe(true);
  });

  it("overfits one case, in 2D and in 3D", async () => {
    const flat = await train(
      config("overfit", {
        data: tinyData(1),
        split: undefined as never,
        graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 16, 16], mode: "grid" }), batch({ size: 1 })),
        model: unet({ filters: 4, depth: 2, normalization: "batch" }),
        ...training({ epochs: 4, stepsPerEpoch: 15, learningRate: 2e-2 }),
      }),
    );
    expect(flat.metrics.softDice).toBeGreaterThan(0.9);
    const cube: DataSet = {
      ...tinyData(1),
      read: async () => {
        const inside = (k: number) => [k >> 6, (k >> 3) & 7, k & 7].every((at) => at >= 2 && at < 6);
        const data = Float32Array.from({ length: 512 }, (_, k) => (inside(k) ? 1 : -1));
        return { image: { data, shape: [8, 8, 8, 1] }, label: { data: Uint8Array.from(data, (value) => Number(value > 0)), shape: [8, 8, 8, 1] } };
      },
    };
    const deep = await train(
      config("overfit-3d", {
        data: cube,
        split: undefined as never,
        graph: ({ cases }) => cases.pipe(load(), batch({ size: 1 })),
        ...training({ epochs: 4, stepsPerEpoch: 12, learningRate: 2e-2 }),
      }),
    );
    expect(deep.metrics.softDice).toBeGreaterThan(0.9);
    // Without a patch operator the network takes its size from the first batch.
    expect((await loadBundle(join(deep.folder, "checkpoints/latest"))).description.patch).toEqual([8, 8, 8]);
  }, 300_000);

  it("keeps no tensors from step to step, nor after its end", async () => {
    const counts: number[] = [];
    const before = tf.memory().numTensors;
    const callbacks = [{ onStep: () => void counts.push(tf.memory().numTensors) }];
    await train(config("memory", training({ epochs: 2, clipNorm: 0.1, callbacks })));
    expect(new Set(counts).size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("counts steps as epochs when asked to", async () => {
    const result = await train(config("steps", training({ epochs: 3, stepsPerEpoch: 4 })));
    expect(result).toMatchObject({ epochs: 3, steps: 12 });
    expect(rows(result.folder).length).toBe(4);
  });

  it("validates as often as asked, with empty cells in between", async () => {
    const result = await train(config("every", { validation: { every: 2 } }));
    const [header, first, second] = rows(result.folder);
    const at = header!.indexOf("val_loss");
    expect(first![at]).toBe("");
    expect(Number(second![at])).toBeGreaterThan(0);
  });

  it("lowers the rate on a plateau and stops early, by the figure that is monitored", async () => {
    const result = await train(
      config("early", {
        split: undefined as never,
        ...training({
          epochs: 50,
          schedule: plateau({ patience: 1, minDelta: 10, cooldown: 0, factor: 0.5, minRate: 0 }),
          earlyStopping: { patience: 3, minDelta: 10 },
          monitor: "softDice",
        }),
      }),
    );
    expect(result).toMatchObject({ status: "completed", epochs: 4, reason: "no improvement for 3 epochs" });
    expect(rows(result.folder).slice(1).map((row) => Number(row.at(-1)))).toEqual([0.01, 0.01, 0.005, 0.0025]); // biome-ignore format: rates
    expect(eventsOf(result.folder).at(-1)).toMatchObject({ type: "end", status: "completed", message: "no improvement for 3 epochs" });
  });

  it("calls its callbacks in order, and ends when one asks for it", async () => {
    const calls: string[] = [];
    const callbacks = [
      {
        onStep: (event: { step: number }) => void calls.push(`step ${event.step}`),
        onEpoch: (event: { epoch: number }, context: { stop(reason: string): void }) => {
          calls.push(`epoch ${event.epoch}`);
          context.stop("enough");
        },
        onEnd: (event: { status: string; message?: string }) => void calls.push(`${event.status} ${event.message}`),
      },
    ];
    await train(config("callbacks", training({ epochs: 9, callbacks })));
    expect(calls).toEqual(["step 1", "step 2", "step 3", "epoch 1", "completed enough"]);
  });

  it("shows the validation patch with the most foreground, and its prediction, after each epoch", async () => {
    const seen: PreviewInput[] = [];
    const preview = (input: PreviewInput) => {
      seen.push(input);
      return `overlays/${input.epoch}.png`;
    };
    const { folder } = await train(config("preview"), { preview });
    expect(seen.map(({ epoch, shape }) => [epoch, shape])).toEqual([[1, [1, 8, 8, 1]], [2, [1, 8, 8, 1]]]); // biome-ignore format: one preview a pair
    expect(seen[0]!.image).toEqual(seen[1]!.image);
    expect(seen[0]!.prediction.length).toBe(64);
    expect([...new Set(seen[0]!.label)].sort()).toEqual([0, 1]);
    expect(eventsOf(folder).filter((event) => event.type === "preview")).toMatchObject([{ path: "overlays/1.png" }, { path: "overlays/2.png" }]);
  });

  it("measures the time that it waits for batches", async () => {
    let told!: () => void;
    const firstStep = new Promise<void>((resolve) => {
      told = resolve;
    });
    let items = 0;
    const graph: TrainingConfig["graph"] = ({ cases }) =>
      cases.pipe(
        mapAsync(
          async (item) => {
            // The second case comes long after the first step is over: the trainer waits for it, however slow the machine is.
            if (++items === 2) {
              await firstStep;
              await new Promise((resolve) => setTimeout(resolve, 2000));
            }
            return item;
          },
          { name: "slow", concurrency: 1 },
        ),
        load(),
        patch({ size: [1, 8, 8] }),
        batch({ size: 1 }),
      );
    const callbacks = [{ onStep: () => told() }];
    const { folder } = await train(config("waiting", { graph, split: undefined as never, ...training({ epochs: 1, callbacks }) }));
    const events = eventsOf(folder);
    const waits = events.flatMap((event) => (event.type === "step" ? [event.waitMs] : []));
    expect(Math.max(...waits)).toBeGreaterThan(50);
    const epoch = events.find((event) => event.type === "epoch")!;
    expect(epoch).toMatchObject({ waitShare: expect.any(Number) });
    expect((epoch as { waitShare: number }).waitShare).toBeGreaterThan(0);
    expect((epoch as { waitShare: number }).waitShare).toBeLessThanOrEqual(1);
  });
});

describe("a run that is stopped", () => {
  it("saves a checkpoint, leaves nothing running, and continues as if nothing had been", async () => {
    const whole = await train(config("uncut", training({ epochs: 3 })));
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const callbacks = [{ onStep: ({ step }: { step: number }) => step === 5 && controller.abort(new Error("lunch")) }] as never;
    const stopped = await train(config("cut", training({ epochs: 3, callbacks })), { signal: controller.signal });
    expect(stopped).toMatchObject({ status: "stopped", reason: "lunch", steps: 5, epochs: 1 });
    expect(tf.memory().numTensors).toBe(before);
    const rest = await train(config("cut", training({ epochs: 3 })), { resume: true });
    expect(rest).toMatchObject({ status: "completed", folder: stopped.folder, steps: 9, loss: whole.loss });
    const steps = (folder: string) => eventsOf(folder).flatMap((event) => (event.type === "step" ? [[event.step, event.loss]] : []));
    expect(steps(rest.folder)).toEqual(steps(whole.folder));
    expect(rows(rest.folder)).toEqual(rows(whole.folder));
  });

  it("validates anew when it was stopped while validating", async () => {
    const whole = await train(config("validated", training({ epochs: 2 })));
    const controller = new AbortController();
    let trained = 0;
    const graph: TrainingConfig["graph"] = (input) => {
      // Called before, too, to plan its memory.
      if (trained === 3) controller.abort(new Error("enough"));
      return config("").graph(input);
    };
    const onStep = ({ step }: { step: number }) => {
      trained = step;
    };
    const callbacks = [{ onStep }] as never;
    const stopped = await train(config("validating", { validation: { graph }, ...training({ epochs: 2, callbacks }) }), {
      signal: controller.signal,
    });
    expect(stopped).toMatchObject({ status: "stopped", epochs: 0, steps: 3 });
    expect(rows(stopped.folder)).toEqual([[""]]);
    const rest = await train(config("validating", training({ epochs: 2 })), { resume: true });
    expect(rows(rest.folder)).toEqual(rows(whole.folder));
  });

  it("is stopped while it waits for data, and before it begins", async () => {
    const graph: TrainingConfig["graph"] = ({ cases }) =>
      cases.pipe(
        mapAsync((item, { signal }) => new Promise<typeof item>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))), {
          name: "never",
        }),
        load(),
        batch({ size: 1 }),
      );
    const controller = new AbortController();
    const pending = train(config("starved", { graph }), { signal: controller.signal });
    setTimeout(() => controller.abort(), 200);
    expect(await pending).toMatchObject({ status: "stopped", steps: 0 });
    expect(await train(config("never"), { signal: controller.signal })).toMatchObject({ status: "stopped", steps: 0 });
  });

  it("continues with more epochs when it is done, and does nothing when it has them", async () => {
    await train(config("more", training({ epochs: 1 })));
    const result = await train(config("more", training({ epochs: 2 })), { resume: true });
    expect(result).toMatchObject({ status: "completed", epochs: 2, steps: 6 });
    expect(await train(config("more", training({ epochs: 2 })), { resume: true })).toMatchObject({ status: "completed", epochs: 2, steps: 6 });
    expect(rows(result.folder).length).toBe(3);
  });

  it("begins anew when there is nothing to resume", async () => {
    expect(await train(config("nothing", training({ epochs: 1 })), { resume: true })).toMatchObject({
      status: "completed",
      steps: 3,
      folder: join(root, "nothing"),
    });
  });

  it("refuses a checkpoint that was changed or cut off", async () => {
    const { folder } = await train(config("damaged", training({ epochs: 1 })));
    const damage = async (name: string, change: (text: string) => string) => {
      const path = join(folder, "checkpoints/latest", name);
      const good = readFileSync(path, "latin1");
      writeFileSync(path, change(good), "latin1");
      const error = await train(config("damaged"), { resume: true }).catch((fault: unknown) => fault);
      writeFileSync(path, good, "latin1");
      return error;
    };
    expect(await damage("optimizer.bin", (text) => text.slice(4))).toMatchObject({
      code: "ERR_CHECKPOINT",
      message: expect.stringContaining("optimizer.bin must be the file that was saved"),
    });
    expect(await damage("state.json", (text) => text.slice(0, 50))).toMatchObject({
      code: "ERR_CHECKPOINT",
      message: expect.stringContaining("state.json must be JSON"),
    });
    expect(await damage("state.json", () => "{}")).toMatchObject({
      code: "ERR_CHECKPOINT",
      message: expect.stringContaining("state.json must be of format voxstream-checkpoint 1, but format"),
    });
    expect(await damage("weights.bin", (text) => `${text.slice(0, -1)}!`)).toMatchObject({ code: "ERR_BUNDLE" });
    expect(await train(config("damaged"), { resume: true })).toMatchObject({ status: "completed", epochs: 2 });
  });

  it("refuses to continue as something else, naming the difference", async () => {
    await train(config("other", training({ epochs: 1 })));
    await expect(train(config("other", { seed: 5 }), { resume: true })).rejects.toMatchObject({
      code: "ERR_CHECKPOINT",
      message: expect.stringContaining("the checkpoint must be of the same configuration, but its seed is 0 and now 5"),
    });
    await expect(train(config("other", { model: unet({ filters: 4, depth: 1 }) }), { resume: true })).rejects.toMatchObject({
      code: "ERR_CHECKPOINT",
      message: expect.stringContaining("its model is"),
    });
    await expect(train(config("other", { data: tinyData(5) }), { resume: true })).rejects.toMatchObject({
      code: "ERR_CHECKPOINT",
      message: expect.stringContaining("its dataSet is"),
    });
  });
});

describe("a run that fails", () => {
  const failed = (name: string) => eventsOf(join(root, name)).at(-1);

  it("names step and samples when the loss is not finite, and leaves the weights as they were", async () => {
    const loss: TrainingConfig["loss"] = Object.assign((logits: tf.Tensor) => tf.tidy(() => tf.mul(tf.mean(logits), Number.NaN) as tf.Scalar), {});
    const run = train(config("nan", { loss }));
    await expect(run).rejects.toMatchObject({
      code: "ERR_TRAINING",
      message: expect.stringMatching(/^trainer: the loss must be finite, got NaN at step 1 on case_\d#\d, case_\d#\d; lower the learning rate/),
    });
    expect(failed("nan")).toMatchObject({ type: "end", status: "failed", message: expect.stringContaining("the loss must be finite") });
  });

  it("names a case that cannot be read; skips it and counts it when asked to", async () => {
    const data: DataSet = {
      ...tinyData(4),
      read: async (ref) => ({ ...(await tinyData(4).read!(ref)), ...(ref.id === "case_2" && { label: undefined as never }) }),
    };
    await expect(train(config("unreadable", { data, split: undefined as never }))).rejects.toMatchObject({ code: "ERR_LABEL", sampleId: "case_2" });
    expect(failed("unreadable")).toMatchObject({ type: "end", status: "failed" });
    const result = await train(config("skipping", { data, split: undefined as never, onError: "skip" }));
    expect(result).toMatchObject({ status: "completed", steps: 6 });
    expect(eventsOf(result.folder).filter((event) => event.type === "skip")).toMatchObject([{ id: "case_2" }]);
  });

  it("tells which figures can be monitored", async () => {
    await expect(train(config("monitor", training({ monitor: "val_dice" })))).rejects.toMatchObject({
      code: "ERR_CONFIG",
      message: expect.stringContaining("training.monitor must be one of loss, softDice, softDice_background, softDice_square, val_loss"),
    });
  });

  it("refuses labels that are no class", async () => {
    const data: DataSet = {
      ...tinyData(4),
      read: async (ref) => ({ ...(await tinyData(4).read!(ref)), label: { data: new Uint8Array(256).fill(7), shape: [1, 16, 16, 1] } }),
    };
    const graph: TrainingConfig["graph"] = ({ cases }) => cases.pipe(load({ labels: "any" }), patch({ size: [1, 8, 8] }), batch({ size: 2 }));
    await expect(train(config("labels", { data, graph }))).rejects.toMatchObject({
      code: "ERR_LABEL",
      message: expect.stringContaining("trainer: labels must be below the number of classes, 2, got 7"),
    });
  });

  it("says so when the graph gives nothing", async () => {
    const graph: TrainingConfig["graph"] = ({ cases }) => cases.pipe(load(), patch({ size: [1, 8, 8] }), batch({ size: 999, incomplete: "drop" }));
    await expect(train(config("empty", { graph, ...training({ epochs: 2 }) }))).rejects.toMatchObject({ code: "ERR_EMPTY" });
  });

  it("cannot run an inline graph in a thread", async () => {
    await expect(train(config("thread"), { thread: true })).rejects.toMatchObject({
      code: "ERR_OPTION",
      message: expect.stringContaining("train: thread must be false"),
    });
  });
});
