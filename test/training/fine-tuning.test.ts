import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataSet } from "../../src/core/case.js";
import type { RunEvent } from "../../src/core/run-events.js";
import { startEngine } from "../../src/engine/index.js";
import { tverskyLoss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { batch, load, patch } from "../../src/operators/index.js";
import { loadBundle } from "../../src/training/bundle/load-bundle.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import { freezeLayers } from "../../src/training/learning/freeze-layers.js";
import { train } from "../../src/training/train.js";
import { tinyData } from "./tiny-case.js";

let root: string;
let bundle: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "voxstream-fine-tuning-"));
  ({ folder: bundle } = await train(config("first")));
  bundle = join(bundle, "checkpoints", "latest");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const config = (name: string, extra: Partial<TrainingConfig> = {}, learningRate = 1e-2): TrainingConfig => ({
  name,
  data: tinyData(4),
  graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 8, 8], perCase: 2 }), batch({ size: 2 })),
  model: unet({ filters: 2, depth: 1 }),
  loss: tverskyLoss(),
  training: { epochs: 1, learningRate },
  workers: 0,
  memory: "64MB",
  runs: root,
  ...extra,
});
const threeClasses: DataSet = { ...tinyData(4), classes: ["background", "square", "nothing"] };
const warnings = (folder: string): string[] =>
  readFileSync(join(folder, "events.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RunEvent)
    .flatMap((event) => (event.type === "warning" && event.message.includes("weights") ? [event.message] : []));
async function weightsOf(folder: string): Promise<Map<string, readonly number[]>> {
  const { model } = await loadBundle(folder);
  const weights = new Map(model.weights.map((weight) => [weight.originalName, [...weight.read().dataSync()]] as const));
  model.dispose();
  return weights;
}
/** Too small to change a float32 weight. */
const NOTHING = 1e-30;

describe("a training that begins with a bundle", () => {
  it("has its weights, all of them when the network is the same", async () => {
    const { folder } = await train(config("same", { init: bundle }, NOTHING));
    const [before, after] = [await weightsOf(bundle), await weightsOf(join(folder, "checkpoints/latest"))];
    expect([...after.keys()]).toEqual([...before.keys()]);
    // Moving statistics follow the data also without learning.
    for (const [name, values] of after) if (!name.includes("moving")) expect([name, values]).toEqual([name, before.get(name)]);
    expect(warnings(folder)).toEqual([]);
  });

  it("begins the last layer anew for other classes, and says so", async () => {
    const { folder } = await train(config("classes", { init: bundle, data: threeClasses }, NOTHING));
    const [before, after] = [await weightsOf(bundle), await weightsOf(join(folder, "checkpoints/latest"))];
    expect(after.get("down0_conv1/kernel")).toEqual(before.get("down0_conv1/kernel"));
    expect(after.get("logits/kernel")!.length).toBe(6);
    expect(warnings(folder)).toEqual([
      `${after.size - 2} of ${after.size} weights come from ${bundle}; these layers begin anew: logits (1x1x2x2 in the bundle, 1x1x2x3 here)`,
    ]);
  });

  it("begins the first layer anew for other channels, and says so", async () => {
    const one = tinyData(4);
    const two: DataSet = {
      ...one,
      channels: 2,
      read: async (ref) => {
        const { image, label } = await one.read!(ref);
        const data = Float32Array.from({ length: 2 * image.data.length }, (_, i) => image.data[i >> 1]!);
        return { image: { data, shape: [1, 16, 16, 2] }, label: label! };
      },
    };
    const { folder } = await train(config("channels", { init: bundle, data: two }, NOTHING));
    const [before, after] = [await weightsOf(bundle), await weightsOf(join(folder, "checkpoints/latest"))];
    expect(after.get("logits/kernel")).toEqual(before.get("logits/kernel"));
    expect(after.get("down0_conv1/kernel")!.length).toBe(2 * before.get("down0_conv1/kernel")!.length);
    expect(warnings(folder)).toEqual([
      `${after.size - 1} of ${after.size} weights come from ${bundle}; these layers begin anew: down0_conv1 (3x3x1x2 in the bundle, 3x3x2x2 here)`,
    ]);
  });

  it("leaves frozen layers as they are, statistics included, and trains the others", async () => {
    const { folder } = await train(config("frozen", { init: { bundle, freeze: ["down*", "bottom*"] } }));
    const [before, after] = [await weightsOf(bundle), await weightsOf(join(folder, "checkpoints/latest"))];
    for (const [name, values] of after) {
      const isFrozen = name.startsWith("down") || name.startsWith("bottom");
      if (isFrozen) expect([name, values]).toEqual([name, before.get(name)]);
      else if (name.endsWith("kernel")) expect([name, values]).not.toEqual([name, before.get(name)]);
    }
  });

  it("goes on bit for bit when it is resumed, and not as another fine-tuning", async () => {
    const init = { bundle, freeze: ["down*"] };
    const whole = await train(config("whole", { init, training: { epochs: 3, learningRate: 1e-2 } }));
    const part = await train(config("part", { init, training: { epochs: 1, learningRate: 1e-2 } }));
    await train(config("part", { init, training: { epochs: 3, learningRate: 1e-2 } }), { resume: true });
    expect(await weightsOf(join(part.folder, "checkpoints/latest"))).toEqual(await weightsOf(join(whole.folder, "checkpoints/latest")));
    await expect(train(config("part", { init: bundle }), { resume: true })).rejects.toMatchObject({
      code: "ERR_CHECKPOINT",
      message: expect.stringContaining("its init is"),
    });
  });

  it("takes the bundle of an override, and refuses what is none before data is read", async () => {
    const { folder } = await train(config("override", {}, NOTHING), { overrides: { init: bundle } });
    expect((await weightsOf(join(folder, "checkpoints/latest"))).get("logits/kernel")).toEqual((await weightsOf(bundle)).get("logits/kernel"));
    let isRead = false;
    const data: DataSet = {
      ...tinyData(4),
      read: async () => {
        isRead = true;
        throw new Error("read");
      },
    };
    await expect(train(config("none", { data, init: root }))).rejects.toMatchObject({ code: "ERR_BUNDLE" });
    await expect(train(config("strange", { data, init: { bundle, frezze: [] } as never }))).rejects.toMatchObject({
      code: "ERR_CONFIG",
      message: expect.stringContaining("did you mean freeze?"),
    });
    expect(isRead).toBe(false);
  });

  it("refuses a bundle of which nothing fits", async () => {
    await expect(train(config("other", { init: bundle, model: unet({ filters: 3, depth: 1 }), data: threeClasses }))).rejects.toMatchObject({
      code: "ERR_BUNDLE",
      message: expect.stringContaining("must have weights that fit the network, got none"),
    });
  });
});

describe("freezeLayers", () => {
  let model: tfl.LayersModel;
  beforeAll(async () => {
    await startEngine({});
    model = unet({ filters: 2, depth: 1 }).build({ shape: [1, 8, 8, 1], classes: 2, seed: 0 });
  });

  it("names the nearest layer, and leaves something to train", () => {
    expect(() => freezeLayers(model, ["botom*"])).toThrow(/init\.freeze must name layers with weights, got 'botom\*'.*bottom_conv1|known/);
    expect(() => freezeLayers(model, ["logit"])).toThrow("did you mean 'logits'?");
    expect(() => freezeLayers(model, ["*"])).toThrow("must leave at least one layer to train");
  });
});
