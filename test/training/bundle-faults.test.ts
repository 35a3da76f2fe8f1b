import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import { native } from "../../src/kernels/native.js";
import { residualEncoderUnet, unet } from "../../src/models/index.js";
import type { BundleDescription } from "../../src/training/bundle/bundle-description.js";
import { loadBundle } from "../../src/training/bundle/load-bundle.js";
import { saveBundle } from "../../src/training/bundle/save-bundle.js";
import { difference, learn, logitsOf, noise } from "../models/learned-model.js";

const description: BundleDescription = {
  classes: ["background", "kidney", "tumor"],
  channels: 1,
  patch: [4, 8, 8],
  spacing: [3, 1, 1],
  preprocessing: [],
  model: { name: "unet", options: {} },
  loss: { name: "diceLoss", options: {} },
  engine: "native",
};
let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "voxstream-bundles-"));
  await startEngine({ threads: 1 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const build = () => unet({ filters: 2, depth: 1 }).build({ shape: [4, 8, 8, 1], classes: 3 });
type Content = Record<string, unknown> & { format?: string };

describe("a bundle that is not what was saved is named as such", () => {
  /** A fresh bundle whose `bundle.json` is changed. */
  async function changed(name: string, change: (content: Content) => unknown): Promise<string> {
    const folder = join(root, name);
    await saveBundle(folder, build(), description);
    const path = join(folder, "bundle.json");
    const content = JSON.parse(readFileSync(path, "utf8")) as Content;
    const result = change(content) ?? content;
    writeFileSync(path, JSON.stringify(result));
    return folder;
  }
  const fault = (folder: string) => loadBundle(folder).catch((error: unknown) => error);

  it.each([
    ["classes", (content: Content) => ({ ...content, classes: ["background", "tumor", "kidney"] })],
    ["spacing", (content: Content) => ({ ...content, spacing: [1, 1, 1] })],
    ["preprocessing", (content: Content) => ({ ...content, preprocessing: [{ name: "clip", params: { min: 0, max: 1 } }] })],
  ])("edited %s", async (name, change) => {
    const folder = await changed(name, change);
    expect(await fault(folder)).toMatchObject({
      code: "ERR_BUNDLE",
      message: `${folder}: bundle.json must be as it was saved, but its checksum differs; remove its last field, sha256, if you changed it on purpose`,
    });
  });
  it("but is taken when the checksum is removed on purpose, as in bundles of earlier versions", async () => {
    const folder = await changed("on-purpose", ({ sha256: _, ...content }) => ({ ...content, classes: ["background", "left", "right"] }));
    expect((await loadBundle(folder)).description.classes).toEqual(["background", "left", "right"]);
  });
  it("channels and classes that the network does not have", async () => {
    const folder = await changed("other-classes", ({ sha256: _, ...content }) => ({ ...content, classes: ["a", "b"], channels: 4 }));
    expect(await fault(folder)).toMatchObject({
      code: "ERR_BUNDLE",
      message: `${folder}: the network must have 4 channels and 2 classes, as bundle.json says, got 1 and 3`,
    });
  });
  it("of a newer version", async () => {
    const folder = await changed("newer", (content) => ({ ...content, formatVersion: 2 }));
    expect(await fault(folder)).toMatchObject({
      code: "ERR_BUNDLE",
      message: `${folder}: bundle.json must be of format 1, got 2: a newer Voxstream has made it`,
    });
  });
  it("weights of another bundle", async () => {
    const [mine, other] = [await changed("mine", () => undefined), join(root, "other")];
    await saveBundle(other, learn(build(), 9), description);
    writeFileSync(join(mine, "weights.bin"), readFileSync(join(other, "weights.bin")));
    expect(await fault(mine)).toMatchObject({ code: "ERR_BUNDLE", message: expect.stringContaining("weights.bin must be the file that was saved") });
  });
  it("a TensorFlow.js model of someone else", async () => {
    const folder = join(root, "foreign");
    mkdirSync(folder);
    writeFileSync(join(folder, "model.json"), JSON.stringify({ format: "layers-model", modelTopology: {}, weightsManifest: [] }));
    expect(await fault(folder)).toMatchObject({
      code: "ERR_BUNDLE",
      message: `${folder}: the folder must hold a model bundle (bundle.json), got a TensorFlow.js model that Voxstream has not saved`,
    });
  });
});

describe("a bundle", () => {
  it.skipIf(!native())("predicts the same on engines native and cpu, within rounding", async () => {
    const folder = join(root, "engines");
    await startEngine({ engine: "native", threads: 1 });
    const model = learn(residualEncoderUnet({ filters: [2, 4], blocks: [1, 1] }).build({ shape: [4, 8, 8, 1], classes: 3 }), 3);
    await saveBundle(folder, model, description);
    const image = [...noise([1, 4, 8, 8, 1]).dataSync()];
    const predicted = async (engine: "native" | "cpu"): Promise<number[]> => {
      await startEngine({ engine, threads: 1 });
      const { model: loaded } = await loadBundle(folder);
      return [...logitsOf(loaded, tf.tensor(image, [1, 4, 8, 8, 1])).dataSync()];
    };
    const [fast, plain] = [await predicted("native"), await predicted("cpu")];
    expect(difference(tf.tensor(plain), tf.tensor(fast))).toBeLessThan(1e-5);
    await startEngine({ threads: 1 });
  });
  it("keeps a model of the user's own layers, if their class is registered when it is loaded", async () => {
    class Halved extends tfl.layers.Layer {
      static className = "HalvedOfUser";
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return tf.div(Array.isArray(inputs) ? inputs[0]! : inputs, 2);
      }
    }
    const input = tfl.input({ shape: [8, 8, 1] });
    const half = new Halved({ name: "half" }).apply(tfl.layers.conv2d({ filters: 3, kernelSize: 1 }).apply(input)) as tfl.SymbolicTensor;
    const folder = join(root, "own");
    await saveBundle(folder, tfl.model({ inputs: input, outputs: half }), { ...description, patch: [1, 8, 8] });
    await expect(loadBundle(folder)).rejects.toMatchObject({ code: "ERR_BUNDLE", message: expect.stringContaining("HalvedOfUser") });
    tf.serialization.registerClass(Halved as never);
    expect((await loadBundle(folder)).model.getLayer("half").getClassName()).toBe("HalvedOfUser");
  });
});
