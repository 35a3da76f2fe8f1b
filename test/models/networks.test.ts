import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import { Adam, startEngine } from "../../src/engine/index.js";
import { native } from "../../src/kernels/native.js";
import { combinedLoss, crossEntropyLoss, diceLoss } from "../../src/losses/index.js";
import type { ModelSpec } from "../../src/models/index.js";
import * as models from "../../src/models/index.js";
import { loadBundle } from "../../src/training/bundle/load-bundle.js";
import { saveBundle } from "../../src/training/bundle/save-bundle.js";
import { MODELS } from "./registry.js";

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "voxstream-models-"));
  await startEngine({ threads: 1 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SHAPES = { "2D": [1, 8, 8, 1], "3D": [4, 8, 8, 1] } as const;
const CLASSES = 3;

const first = (output: tf.Tensor | tf.Tensor[]): tf.Tensor => (Array.isArray(output) ? output[0]! : output);

/** A patch of three bands of their own brightness, with noise. */
function bands([depth, height, width]: readonly number[]): { image: tf.Tensor; target: tf.Tensor; labels: Int32Array } {
  const random = new Random("bands");
  const labels = Int32Array.from({ length: depth! * height! * width! }, (_, i) => Math.floor(((i % width!) * CLASSES) / width!));
  const image = Float32Array.from(labels, (label) => label - 1 + 0.2 * random.normal());
  const shape = depth === 1 ? [1, height!, width!, 1] : [1, depth!, height!, width!, 1];
  return { image: tf.tensor(image, shape), target: tf.tensor(labels, shape, "int32"), labels };
}

function train(model: tfl.LayersModel, image: tf.Tensor, target: tf.Tensor, steps: number): number[] {
  const loss = combinedLoss({ losses: [diceLoss(), crossEntropyLoss()] });
  const optimizer = new Adam({ learningRate: 0.02 });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const value = optimizer.minimize(() => loss(first(model.apply(image, { training: true }) as tf.Tensor), target), true)!;
    losses.push(value.dataSync()[0]!);
    value.dispose();
  }
  optimizer.dispose();
  return losses;
}

it("every network of the index is in the registry", () => {
  const factories = Object.keys(models).filter((name) => /unet$/i.test(name));
  expect(MODELS.map(({ name }) => name).sort()).toEqual(factories.sort());
});

const everyNetwork = MODELS.flatMap((entry) => (["2D", "3D"] as const).map((kind) => ({ ...entry, kind })));

describe.skipIf(!native())("on engine native", () => {
  it.each(everyNetwork)("$name in $kind overfits one patch, is saved, and predicts the same bytes when loaded", async ({ name, kind, small }) => {
    const shape = SHAPES[kind];
    const spec = small();
    const model = spec.build({ shape, classes: CLASSES, seed: 1 });
    const { image, target, labels } = bands(shape);
    const losses = train(model, image, target, 60);
    expect(losses.at(-1)!).toBeLessThan(0.25 * losses[0]!);
    const learned = tf.tidy(() => tf.argMax(first(model.apply(image, { training: true }) as tf.Tensor), -1).dataSync());
    const right = labels.filter((label, i) => label === learned[i]).length;
    expect(right / labels.length).toBeGreaterThan(0.97);

    const predict = (network: tfl.LayersModel): Uint8Array =>
      tf.tidy(
        () =>
          new Uint8Array(
            first(network.predict(image) as tf.Tensor)
              .dataSync()
              .slice().buffer,
          ),
      );
    const before = predict(model);
    const folder = join(root, `${name}-${kind}`);
    await saveBundle(folder, model, {
      classes: ["a", "b", "c"],
      channels: 1,
      patch: [shape[0], shape[1], shape[2]],
      spacing: null,
      preprocessing: [],
      model: { name: spec.name, options: spec.options },
      loss: { name: "combinedLoss", options: {} },
      engine: "native",
    });
    const bundle = await loadBundle(folder);
    expect(predict(bundle.model)).toEqual(before);
    expect(bundle.description.model.name).toBe(name);
    expect(bundle.description.parameters).toBe(model.countParams());
    bundle.model.dispose();
    model.dispose();
  });
});

describe.each(everyNetwork)("$name in $kind", ({ kind, small, again }) => {
  const shape = kind === "2D" ? ([1, 8, 12, 2] as const) : ([4, 4, 8, 2] as const);
  const input = () => tf.randomNormal([2, ...(kind === "2D" ? shape.slice(1) : shape)], 0, 1, "float32", 3);
  const output = [2, ...(kind === "2D" ? shape.slice(1, -1) : shape.slice(0, -1)), 4];
  const run = (spec: ModelSpec, training: boolean): { logits: tf.Tensor; values: Float32Array } => {
    const model = spec.build({ shape, classes: 4, seed: 2 });
    const logits = first(model.apply(input(), { training }) as tf.Tensor);
    const values = logits.dataSync().slice() as Float32Array;
    model.dispose();
    return { logits, values };
  };

  it.each(["batch", "instance", "group", "none"] as const)("gives finite logits of any sign with %s normalization", (normalization) => {
    const { logits, values } = run(small({ normalization, groups: 4 }), true);
    expect(logits.shape).toEqual(output);
    expect(values.every(Number.isFinite)).toBe(true);
    // Neither a softmax nor a sigmoid is in the network.
    expect(values.some((value) => value < 0)).toBe(true);
    const sums = Array.from({ length: values.length / 4 }, (_, i) => values.slice(4 * i, 4 * i + 4).reduce((sum, value) => sum + value, 0));
    expect(Math.max(...sums) - Math.min(...sums)).toBeGreaterThan(1e-2);
  });

  it("drops values in training only", () => {
    const [spec, whole] = [small({ dropout: 0.5, normalization: "instance" }), small({ dropout: 0, normalization: "instance" })];
    expect(run(spec, false).values).toEqual(run(whole, false).values);
    expect(run(spec, true).values).not.toEqual(run(whole, true).values);
  });

  it("is the same when it is made again from the options that a bundle keeps", () => {
    const spec = small({ normalization: "group", groups: 2 });
    const rebuilt = again(JSON.parse(JSON.stringify(spec.options)));
    expect(rebuilt.options).toEqual(spec.options);
    expect(run(rebuilt, false).values).toEqual(run(spec, false).values);
  });

  it("refuses a patch that it cannot pool", () => {
    expect(() => small().build({ shape: kind === "2D" ? [1, 8, 9, 1] : [4, 8, 9, 1], classes: 2 })).toThrow("the patch must be divisible by");
  });
});

describe("deep supervision", () => {
  it("gives logits at each level of the way up but the coarsest, the finest first", () => {
    const spec = models.residualEncoderUnet({ filters: [2, 3, 4, 4], blocks: [1], pooling: "isotropic", deepSupervision: true });
    const model = spec.build({ shape: [8, 8, 16, 1], classes: 3 });
    expect(model.outputs.map(({ shape }) => shape)).toEqual([
      [null, 8, 8, 16, 3],
      [null, 4, 4, 8, 3],
      [null, 2, 2, 4, 3],
    ]);
    model.dispose();
  });
  it("does not change the weights of the rest", () => {
    const values = (deepSupervision: boolean): number[] => {
      const model = models
        .residualEncoderUnet({ filters: [2, 3, 4], blocks: [1], deepSupervision })
        .build({ shape: [1, 8, 8, 1], classes: 3, seed: 4 });
      const logits = [...first(model.predict(tf.ones([1, 8, 8, 1])) as tf.Tensor).dataSync()];
      model.dispose();
      return logits;
    };
    expect(values(true)).toEqual(values(false));
  });
});
