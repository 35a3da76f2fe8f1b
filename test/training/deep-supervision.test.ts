import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataSet } from "../../src/core/case.js";
import type { RunEvent } from "../../src/core/run-events.js";
import { crossEntropyLoss, deepSupervision, diceLoss, softDice } from "../../src/losses/index.js";
import { residualEncoderUnet, unet } from "../../src/models/index.js";
import { mapLabels } from "../../src/operators/label/map-labels.js";
import { load } from "../../src/operators/load/load.js";
import { patch } from "../../src/operators/patch/patch.js";
import { batch } from "../../src/operators/stream/batch.js";
import { loadBundle } from "../../src/training/bundle/load-bundle.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import { train } from "../../src/training/train.js";
import { tinyCase, tinyData } from "./tiny-case.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-deep-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const config = (name: string, extra: Partial<TrainingConfig> = {}): TrainingConfig => ({
  name,
  data: tinyData(3),
  split: { validation: ["case_2"] },
  graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 8, 8], perCase: 2 }), batch({ size: 2 })),
  model: residualEncoderUnet({ filters: [2, 3, 4], blocks: [1], deepSupervision: true, pooling: "isotropic" }),
  loss: deepSupervision(diceLoss()),
  metrics: [softDice()],
  training: { epochs: 2, learningRate: 1e-2 },
  workers: 0,
  memory: "64MB",
  runs: root,
  ...extra,
});
const sha = (folder: string): string =>
  (JSON.parse(readFileSync(join(folder, "checkpoints/latest/bundle.json"), "utf8")) as { weights: { sha256: string } }).weights.sha256;
const losses = (folder: string): number[] =>
  readFileSync(join(folder, "events.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === "step")
    .map(({ loss }) => loss as number);

describe("a network that is supervised at several levels", () => {
  it("learns at all of them, validates at the finest, and goes on bit for bit", async () => {
    const whole = await train(config("whole", { training: { epochs: 4, learningRate: 1e-2 } }));
    expect(whole).toMatchObject({ status: "completed", steps: 8 });
    const half = await train(config("half"));
    const rest = await train(config("half", { training: { epochs: 4, learningRate: 1e-2 } }), { resume: true });
    expect(rest.steps).toBe(8);
    expect(losses(half.folder)).toEqual(losses(whole.folder));
    expect(sha(half.folder)).toBe(sha(whole.folder));

    const { model } = await loadBundle(join(whole.folder, "checkpoints/latest"));
    expect(model.outputs.map(({ shape }) => shape)).toEqual([
      [null, 8, 8, 2],
      [null, 4, 4, 2],
    ]);
    const [fine] = model.predict(tf.ones([1, 8, 8, 1])) as tf.Tensor[];
    expect(fine!.dataSync().every(Number.isFinite)).toBe(true);
    model.dispose();
    // The head of the coarser level has learned: its weights are not those of another run that looks at the finest level only.
    const finest = await train(config("finest", { loss: diceLoss(), training: { epochs: 4, learningRate: 1e-2 } }));
    expect(losses(finest.folder)).not.toEqual(losses(whole.folder));
  });
});

describe("a network and a loss that do not agree on levels", () => {
  it("are named in a warning", async () => {
    const warnings = async (name: string, extra: Partial<TrainingConfig>): Promise<readonly string[]> => {
      const heard: string[] = [];
      const onEvent = (event: RunEvent) => void (event.type === "warning" && heard.push(event.message));
      await train(config(name, { training: { epochs: 1 }, ...extra }), { onEvent });
      return heard;
    };
    const flat = unet({ filters: 2, depth: 1 });
    expect(await warnings("both", {})).toEqual([]);
    expect(await warnings("neither", { model: flat, loss: diceLoss() })).toEqual([]);
    expect(await warnings("network", { loss: diceLoss() })).toEqual([
      "the network gives logits at 2 levels, but the loss looks at the finest only; wrap it in deepSupervision()",
    ]);
    expect(await warnings("loss", { model: flat })).toEqual([
      "the loss supervises several levels, but the network gives logits at one only; set its deepSupervision",
    ]);
  });
});

describe("a label that the loss ignores", () => {
  const data: DataSet = {
    ...tinyData(2),
    // Loading wants a name for every label.
    classes: ["background", "square", "unknown"],
    read: async (ref) => {
      const { image, label } = tinyCase(ref.id);
      const unknown = label as { data: Uint8Array; shape: readonly [number, number, number, number] };
      for (let i = 0; i < 64; i++) unknown.data[i] = 2;
      return { image, label: unknown };
    },
  };
  const graph: TrainingConfig["graph"] = ({ cases }) => cases.pipe(load(), mapLabels({ map: { 2: 255 } }), batch({ size: 1 }));
  const small = { data, graph, split: { validation: ["case_1"] }, model: unet({ filters: 2, depth: 1 }), metrics: [softDice({ ignore: 255 })] };
  it("may be in the label map without being a class", async () => {
    const result = await train(config("ignores", { ...small, loss: crossEntropyLoss({ ignore: 255 }) }));
    expect(result.status).toBe("completed");
    expect(Number.isFinite(result.loss)).toBe(true);
  });
  it("is still refused by a loss that does not know of it", async () => {
    await expect(train(config("knows-not", { ...small, loss: crossEntropyLoss() }))).rejects.toThrow(
      "labels must be below the number of classes, 3, got 255",
    );
  });
});
