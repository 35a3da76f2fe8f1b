import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataSet } from "../../src/core/case.js";
import { combinedLoss, crossEntropyLoss, deepSupervision, diceLoss } from "../../src/losses/index.js";
import { customModel, residualEncoderUnet, unet } from "../../src/models/index.js";
import { load } from "../../src/operators/load/load.js";
import { patch } from "../../src/operators/patch/patch.js";
import { batch } from "../../src/operators/stream/batch.js";
import { defineConfig } from "../../src/training/config/define-config.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import { train } from "../../src/training/train.js";
import { tinyData } from "./tiny-case.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-refused-"));
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
});
