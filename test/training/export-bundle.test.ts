import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { InferenceSession, Tensor } from "onnxruntime-node";
import protobuf from "protobufjs/light.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import { customModel, unet } from "../../src/models/index.js";
import type { BundleDescription } from "../../src/training/bundle/bundle-description.js";
import { exportBundle } from "../../src/training/bundle/export-bundle.js";
import { loadBundle } from "../../src/training/bundle/load-bundle.js";
import { saveBundle } from "../../src/training/bundle/save-bundle.js";
import { runCli } from "../e2e/fixture/run-cli.js";
import { difference, learn, logitsOf, noise } from "../models/learned-model.js";

const description: BundleDescription = {
  classes: ["background", "kidney", "tumor"],
  channels: 2,
  patch: [4, 8, 8],
  spacing: [3.22, 1.62, 1.62],
  preprocessing: [{ name: "clip", params: { min: -79, max: 304 } }],
  model: { name: "unet", options: { filters: 2, depth: 1 } },
  loss: { name: "diceLoss", options: {} },
  engine: "native",
};
let root: string;
let bundle: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "voxstream-export-"));
  bundle = join(root, "bundle");
  await startEngine({ threads: 1 });
  await saveBundle(bundle, learn(unet({ filters: 2, depth: 1 }).build({ shape: [4, 8, 8, 2], classes: 3 }), 1), description);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Metadata of an ONNX file: entries of field 14 of its model. */
function metadataOf(path: string): Record<string, string> {
  const root = protobuf.Root.fromJSON({
    nested: {
      Model: { fields: { entries: { rule: "repeated", type: "Entry", id: 14 } } },
      Entry: { fields: { key: { type: "string", id: 1 }, value: { type: "string", id: 2 } } },
    },
  });
  const { entries } = root.lookupType("Model").decode(readFileSync(path)) as unknown as { entries: { key: string; value: string }[] };
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}

describe("exportBundle", () => {
  it("writes an ONNX file that gives the bundle's logits and says what predicting needs", async () => {
    const path = join(root, "new", "model.onnx");
    const exported = await exportBundle({ bundle, output: path });
    expect(exported).toMatchObject({ format: "onnx", path, bytes: readFileSync(path).byteLength, divisor: [2, 2, 2] });
    const { model } = await loadBundle(bundle);
    const image = noise([1, 8, 4, 6, 2]);
    const first = tf.transpose(image, [0, 4, 1, 2, 3]);
    const session = await InferenceSession.create(path);
    const { logits } = await session.run({ image: new Tensor("float32", first.dataSync().slice() as Float32Array, first.shape) });
    const value = tf.transpose(tf.tensor(logits!.data as Float32Array, [...logits!.dims]), [0, 2, 3, 4, 1]);
    const wide = unet({ filters: 2, depth: 1 }).build({ shape: [8, 4, 6, 2], classes: 3 });
    wide.setWeights(model.getWeights());
    expect(difference(logitsOf(wide, image), value)).toBeLessThan(1e-4);

    const metadata = metadataOf(path);
    expect(JSON.parse(metadata["voxstream.classes"]!)).toEqual(description.classes);
    expect(JSON.parse(metadata["voxstream.spacing"]!)).toEqual(description.spacing);
    expect(JSON.parse(metadata["voxstream.preprocessing"]!)).toEqual(description.preprocessing);
    expect(JSON.parse(metadata["voxstream.patch"]!)).toEqual(description.patch);
    expect(JSON.parse(metadata["voxstream.divisor"]!)).toEqual([2, 2, 2]);
    expect(metadata["voxstream.layout"]).toBe("channels-first");
    expect(metadata["voxstream.weights_sha256"]).toBe((await loadBundle(bundle)).description.weights.sha256);
    expect(JSON.parse(metadata["voxstream.versions"]!)).toHaveProperty("voxstream");
  });

  it("writes a bundle of stock layers, which is a bundle still", async () => {
    const folder = join(root, "tfjs");
    for (const _ of ["once", "and again"]) await exportBundle({ bundle, output: folder, format: "tfjs" });
    expect(readFileSync(join(folder, "model.json"), "utf8")).not.toContain('"class_name":"Vox');
    const [ours, stock] = [await loadBundle(bundle), await loadBundle(folder)];
    const image = noise([1, 4, 8, 8, 2]);
    expect(difference(logitsOf(ours.model, image), logitsOf(stock.model, image))).toBeLessThan(1e-4);
    const { createdAt, versions, parameters, weights, topology, sha256, ...kept } = stock.description;
    expect(kept).toEqual({ ...description, format: "voxstream-bundle", formatVersion: 1 });
  });

  it("refuses to replace what it has not made, and says what is wrong", async () => {
    const full = join(root, "full");
    mkdirSync(full);
    writeFileSync(join(full, "notes.txt"), "mine");
    await expect(exportBundle({ bundle, output: full, format: "tfjs" })).rejects.toMatchObject({
      code: "ERR_OPTION",
      message: `${full}: output must be a new or empty folder, or one that was exported before, got a folder with other content`,
    });
    expect(readdirSync(full)).toEqual(["notes.txt"]);
    await expect(exportBundle({ bundle, output: bundle, format: "tfjs" })).rejects.toThrow("output must be another folder than the bundle's");
    await expect(exportBundle({ bundle, output: full, format: "onnx" })).rejects.toThrow("output must be a file, got a folder with other content");
    await expect(exportBundle({ bundle, output: join(root, "model") })).rejects.toThrow(
      'format must be "onnx" or "tfjs" when the output does not end with .onnx, got undefined',
    );
    await expect(exportBundle({ bundle, output: join(root, "m"), format: "tfjs", probabilities: true })).rejects.toThrow(
      'probabilities must be absent with format "tfjs", got true',
    );
    await expect(exportBundle({ bundle, outptu: "x" } as never)).rejects.toThrow("did you mean output?");
    writeFileSync(join(root, "file"), "");
    await expect(exportBundle({ bundle, output: join(root, "file", "m.onnx") })).rejects.toMatchObject({ code: "ERR_WRITE" });
    expect(existsSync(join(root, "file", "m.onnx.new"))).toBe(false);
  });
});

describe("voxstream export", () => {
  it("writes the file and reports it", async () => {
    const { code, stdout } = await runCli(["export", bundle, "-o", "m.onnx", "--layout", "channels-last", "--probabilities", "--fixed", "--json"], {
      cwd: root,
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ format: "onnx", path: "m.onnx", divisor: [2, 2, 2], classes: description.classes, model: "unet" });
    const session = await InferenceSession.create(join(root, "m.onnx"));
    expect(session.inputMetadata).toMatchObject([{ shape: ["batch", 4, 8, 8, 2] }]);
    expect(session.outputNames).toEqual(["probabilities"]);
  });
  it("fails with the layer that cannot be exported, and for wrong use", async () => {
    const tfl = await import("@tensorflow/tfjs-layers");
    const folder = join(root, "permuted");
    const spec = customModel({
      name: "permuted",
      build: ({ shape, classes }) =>
        tfl.sequential({
          layers: [
            tfl.layers.permute({ dims: [2, 1, 3], inputShape: [...shape.slice(1)], name: "turned" }),
            tfl.layers.conv2d({ filters: classes, kernelSize: 1 }),
          ],
        }),
    });
    const network = spec.build({ shape: [1, 8, 8, 2], classes: 3 });
    await saveBundle(folder, network, { ...description, patch: [1, 8, 8], model: { name: "permuted", options: {} } });
    const failed = await runCli(["export", folder, "-o", join(root, "p.onnx")]);
    expect(failed.code).toBe(2);
    expect(failed.stderr).toContain("layer turned cannot be exported: its class Permute has no ONNX form");
    expect(existsSync(join(root, "p.onnx"))).toBe(false);
    // The same network in plain TensorFlow.js is no trouble.
    expect((await runCli(["export", folder, "-o", join(root, "p"), "--format", "tfjs"])).code).toBe(0);
    expect((await runCli(["export", bundle])).code).toBe(2);
    expect((await runCli(["export", bundle, "-o", join(root, "m"), "--format", "keras"])).code).toBe(2);
  });
});
