import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convolution, startEngine, upSampling3d } from "../../src/engine/index.js";
import { stockModel } from "../../src/models/index.js";
import { saveBundle } from "../../src/training/bundle/save-bundle.js";
import { difference, learn, logitsOf, noise } from "./learned-model.js";
import { MODELS } from "./registry.js";

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "voxstream-stock-"));
  await startEngine({ threads: 1 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SHAPES = { "2D": [1, 8, 12, 2], "3D": [4, 8, 4, 2] } as const;
const flat = (shape: readonly number[]): readonly number[] => (shape[0] === 1 ? shape.slice(1) : shape);
const NORMALIZATIONS = ["batch", "instance", "group", "none"] as const;
const everyNetwork = MODELS.flatMap(({ name, small }) => (["2D", "3D"] as const).map((kind) => ({ name, kind, small })));

describe("a network of stock layers", () => {
  it.each(everyNetwork)("$name in $kind predicts what the network predicts, with every normalization", ({ kind, small }) => {
    for (const normalization of NORMALIZATIONS) {
      const model = learn(small({ normalization, groups: 2, dropout: 0.2 }).build({ shape: SHAPES[kind], classes: 3, seed: 1 }), 5);
      const stock = stockModel(model);
      expect(stock.layers.map((layer) => layer.getClassName()).filter((name) => name.startsWith("Vox"))).toEqual([]);
      const image = noise([2, ...flat(SHAPES[kind])]);
      expect(difference(logitsOf(model, image), logitsOf(stock, image))).toBeLessThan(1e-4);
      model.dispose();
      stock.dispose();
    }
  });

  it("is loaded by plain TensorFlow.js, in a program that knows nothing of Voxstream, for every network in 2D and 3D", async () => {
    const cases = [];
    for (const [k, { name, kind, small }] of everyNetwork.entries()) {
      const normalization = NORMALIZATIONS[k % NORMALIZATIONS.length]!;
      const model = learn(small({ normalization, groups: 2 }).build({ shape: SHAPES[kind], classes: 3, seed: 1 }), 7);
      const folder = join(root, `${name}-${kind}`);
      const image = noise([1, ...flat(SHAPES[kind])]);
      const description = { classes: ["a", "b", "c"], channels: 2, patch: [1, 1, 1] as const, spacing: null, preprocessing: [] };
      const named = { name, options: {} };
      await saveBundle(folder, stockModel(model), { ...description, model: named, loss: named, engine: "native" });
      cases.push({ folder, shape: image.shape, values: [...image.dataSync()], logits: logitsOf(model, image) });
      model.dispose();
    }
    writeFileSync(join(root, "cases.json"), JSON.stringify(cases.map(({ folder, shape, values }) => ({ folder, shape, values }))));
    const program = `
      import { readFileSync } from "node:fs";
      import * as tf from "@tensorflow/tfjs-core";
      import * as tfl from "@tensorflow/tfjs-layers";
      import "@tensorflow/tfjs-backend-cpu";
      await tf.setBackend("cpu");
      const results = [];
      for (const { folder, shape, values } of JSON.parse(readFileSync(process.argv[1], "utf8"))) {
        const { modelTopology, weightsManifest } = JSON.parse(readFileSync(folder + "/model.json", "utf8"));
        const weightSpecs = weightsManifest.flatMap((group) => group.weights);
        const weightData = new Uint8Array(readFileSync(folder + "/weights.bin")).buffer;
        const model = await tfl.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
        results.push([...(model.predict(tf.tensor(values, shape))).dataSync()]);
      }
      process.stdout.write(JSON.stringify(results));`;
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", program, join(root, "cases.json")], {
      encoding: "utf8",
      maxBuffer: 1e8,
      stdio: ["ignore", "pipe", "ignore"],
    });
    for (const [k, values] of (JSON.parse(out) as number[][]).entries()) {
      const { logits } = cases[k]!;
      expect(difference(logits, tf.tensor(values, logits.shape))).toBeLessThan(1e-4);
    }
  }, 120_000);

  it("keeps stock layers as they are, and a layer that is used twice one layer", () => {
    const input = tfl.input({ shape: [8, 8, 2] });
    const twice = tfl.layers.conv2d({ filters: 2, kernelSize: 3, padding: "same", activation: "tanh", name: "twice" });
    const model = tfl.model({ inputs: input, outputs: twice.apply(twice.apply(input)) as tfl.SymbolicTensor });
    const stock = stockModel(model);
    const image = noise([1, 8, 8, 2]);
    expect(stock.layers).toHaveLength(2);
    expect(difference(logitsOf(model, image), logitsOf(stock, image))).toBeLessThan(1e-6);
  });

  it("names the layer that has no such form", () => {
    class Mine extends tfl.layers.Layer {
      static className = "MineOfStock";
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return tf.clone(Array.isArray(inputs) ? inputs[0]! : inputs);
      }
    }
    tf.serialization.registerClass(Mine as never);
    const input = tfl.input({ shape: [8, 8, 2] });
    const build = (layer: tfl.layers.Layer) => tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
    expect(() => stockModel(build(new Mine({ name: "special" })))).toThrow(
      "stockModel: layer special cannot be made of stock layers: its class MineOfStock is not one of TensorFlow.js",
    );
    expect(() => stockModel(build(upSampling3d({ size: 2, interpolation: "linear", name: "smooth" })))).toThrow(
      "stockModel: layer smooth cannot be made of stock layers: TensorFlow.js has no linear enlargement between the centers of voxels",
    );
    const volume = tfl.input({ shape: [8, 8, 8, 2] });
    const sparse = convolution({ filters: 2, kernelSize: 1, strides: 2, name: "sparse" }).apply(volume) as tfl.SymbolicTensor;
    expect(() => stockModel(tfl.model({ inputs: volume, outputs: sparse }))).toThrow(
      "stockModel: layer sparse cannot be made of stock layers: its stride is larger than its kernel",
    );
    const vector = tfl.input({ shape: [8] });
    const dense = tfl.model({ inputs: vector, outputs: tfl.layers.dense({ units: 2 }).apply(vector) as tfl.SymbolicTensor });
    expect(() => stockModel(dense)).toThrow("stockModel: a network must have one input of images or volumes of known extents");
  });
});
