import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CaseRef, DataSet } from "../../src/core/case.js";
import { crossValidate } from "../../src/evaluation/cross-validate.js";
import { combinedLoss, crossEntropyLoss, deepSupervision, diceLoss, softDice } from "../../src/losses/index.js";
import { customModel, residualEncoderUnet, unet } from "../../src/models/index.js";
import { load } from "../../src/operators/load/load.js";
import { patch } from "../../src/operators/patch/patch.js";
import { batch } from "../../src/operators/stream/batch.js";
import { defineConfig } from "../../src/training/config/define-config.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import { train } from "../../src/training/train.js";
import { tinyData } from "./tiny-case.js";

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "voxstream-refused-"));
  await train({ ...config({ data: tinyData(2), name: "bundle" }), training: { epochs: 1, stepsPerEpoch: 1 } });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Two classes and one channel; reading a case fails the test. */
const unreadable: DataSet = {
  ...tinyData(2),
  read: async () => {
    throw new Error("data were read");
  },
};
const config = (extra: Partial<TrainingConfig>): TrainingConfig => ({
  name: "refused",
  data: unreadable,
  graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 8, 8] }), batch({ size: 1 })),
  model: unet({ filters: 2, depth: 1 }),
  loss: diceLoss(),
  training: { epochs: 1 },
  workers: 0,
  memory: "64MB",
  runs: root,
  ...extra,
});
const layers =
  (channels: number) =>
  ({ classes }: { readonly classes: number }): tfl.LayersModel =>
    tfl.sequential({ layers: [tfl.layers.conv2d({ filters: classes, kernelSize: 1, inputShape: [8, 8, channels] })] });

function mean(logits: tf.Tensor): tf.Tensor {
  return tf.mean(logits);
}
/** With the folder of a real bundle. */
const withBundle = (extra: object): Partial<TrainingConfig> => {
  const bundle = join(root, "bundle", "checkpoints", "latest");
  const text = (value: unknown): unknown => (value === "BUNDLE" ? bundle : value);
  const { init } = extra as { readonly init?: object | string };
  if (init === undefined) return extra;
  return { ...extra, init: typeof init === "string" ? (text(init) as string) : { ...(init as { bundle: string }), bundle } };
};

describe("what does not fit is refused with its numbers, before any data is read and before there is a run folder", () => {
  it.each([
    ["alone", crossEntropyLoss({ weights: [1, 2, 3] })],
    ["in a combination", combinedLoss({ losses: [diceLoss(), crossEntropyLoss({ weights: [1, 2, 3] })] })],
    ["under deep supervision", deepSupervision(crossEntropyLoss({ weights: [1, 2, 3] }))],
  ])("weights for three classes where there are two, %s", (_, loss) => {
    expect(() => defineConfig(config({ loss }))).toThrow(
      "config: loss must fit the classes, but: crossEntropyLoss: weights must have one number for each of the 2 classes, got 3",
    );
  });
  it("weights for three levels where the network has two", async () => {
    const model = residualEncoderUnet({ filters: [2, 2, 2], blocks: [1], pooling: "isotropic", deepSupervision: true });
    const refused = train(config({ model, loss: deepSupervision(diceLoss(), { weights: [1, 0.5, 0.25] }) }));
    await expect(refused).rejects.toThrow("deepSupervision: weights must have one number for each of the network's 2 levels, got 3");
    expect(existsSync(join(root, "refused"))).toBe(false);
  });
  it("a network whose function fails", async () => {
    const build = (): tfl.LayersModel => {
      throw new Error("no such block");
    };
    await expect(train(config({ model: customModel({ name: "mine", build }) }))).rejects.toMatchObject({
      code: "ERR_MODEL",
      message: "mine: the network cannot be built: no such block",
    });
    await expect(train(config({ model: unet({ filters: 1e9, depth: 1 }) }))).rejects.toMatchObject({ code: "ERR_MODEL" });
    expect(existsSync(join(root, "refused"))).toBe(false);
  });
  it("ids that are no file names", async () => {
    const data: DataSet = { ...unreadable, list: async () => [{ id: "../a", images: [] }] };
    await expect(train(config({ data }))).rejects.toMatchObject({ code: "ERR_DATA" });
    expect(existsSync(join(root, "refused"))).toBe(false);
  });
  it("a network for other channels", async () => {
    const model = customModel({ name: "mine", build: layers(3) });
    await expect(train(config({ model }))).rejects.toMatchObject({
      code: "ERR_MODEL",
      message: "mine: the network's input must be [batch, 8x8x1], got [batch, 8, 8, 3]",
    });
    expect(existsSync(join(root, "refused"))).toBe(false);
  });
  it("a network for other classes", async () => {
    const model = customModel({ name: "mine", build: () => layers(1)({ classes: 5 }) });
    await expect(train(config({ model }))).rejects.toMatchObject({
      code: "ERR_MODEL",
      message: "mine: the network's output must be [batch, 8x8x2], got [batch, 8, 8, 5]",
    });
  });
  it("a patch, also of a model that is written out in full and checks nothing itself", async () => {
    const model = { ...unet({ filters: 2, depth: 1 }), divisor: () => [1, 3, 3] as const, build: () => expect.fail("built") };
    await expect(train(config({ model }))).rejects.toMatchObject({
      code: "ERR_MODEL",
      message: expect.stringContaining("divisible by 1x3x3, got 1x8x8"),
    });
    expect(existsSync(join(root, "refused"))).toBe(false);
  });
  it.each([
    ["a monitor of no column", { training: { epochs: 1, monitor: "los" } }, 'training.monitor must be one of loss, got "los"; did you mean loss?'],
    [
      "a monitor of validation without cases that validate",
      { training: { epochs: 1, monitor: "val_loss" } },
      'training.monitor must be one of loss, got "val_loss"; columns of validation need a split',
    ],
    [
      "a monitor of a class, of a metric that gives one number",
      { metrics: [mean], training: { epochs: 1, monitor: "mean_square" } },
      'training.monitor must be one of loss, mean, got "mean_square"',
    ],
    [
      "windows of validation cases that overlap by more than they are",
      { split: { validation: 0.5 }, validation: { cases: { overlap: [0, 8, 4] } } },
      "validation.cases.overlap must be less than the patch 1x8x8 along each axis, got 0x8x4",
    ],
    ["a budget of memory that cannot hold a batch", { memory: 100 }, "the memory budget must"],
    ["a budget that is no size", { memory: "much" }, "memory must be"],
    ["layers to freeze that are not there", { init: { bundle: "BUNDLE", freeze: ["upp*"] } }, "init.freeze must name layers"],
    ["a bundle of which nothing fits", { init: "BUNDLE", model: customModel({ name: "mine", build: layers(1) }) }, "must have weights that fit"],
    ["a bundle that is not there", { init: "nowhere" }, "nowhere"],
    ["an engine that does not exist", { engine: "abacus" }, "abacus"],
    ["an id that is no case", { split: { validation: ["case_9"] } }, "case_9"],
    [
      "a graph that fails while it validates",
      { split: { validation: 0.5 }, validation: { graph: () => expect.fail("no such graph") } },
      "no such graph",
    ],
    [
      "options of another optimizer",
      { training: { epochs: 1, optimizer: { name: "adam", momentum: 0.9 } } },
      "training.optimizer.momentum is no option of adam",
    ],
    ["nesterov without momentum", { training: { epochs: 1, optimizer: { name: "sgd", nesterov: true } } }, "nesterov needs a momentum above 0"],
    ["two metrics of one name", { metrics: [softDice(), softDice({ smooth: 0.5 })] }, "metrics must have different names"],
  ] satisfies [string, object, string][])("%s", async (_, extra, message) => {
    const refused = train(config(withBundle(extra)));
    await expect(refused).rejects.toThrow(message);
    expect(existsSync(join(root, "refused"))).toBe(false);
  });
  it("also when a cross-validation would begin", async () => {
    const label = async (): Promise<CaseRef[]> => (await unreadable.list()).map((ref) => ({ ...ref, label: "given" }));
    const data: DataSet = { ...unreadable, list: label };
    const refused = crossValidate({ config: config({ data, training: { epochs: 1, monitor: "dice" } }), folds: 2 });
    await expect(refused).rejects.toThrow("training.monitor must be one of loss");
    expect(readdirSync(root)).toEqual(["bundle"]);
  });
  it("a thread for a configuration that is an object", async () => {
    await expect(train(config({}), { thread: true })).rejects.toMatchObject({ code: "ERR_OPTION", message: expect.stringContaining("thread") });
  });
});
