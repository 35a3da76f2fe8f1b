import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import {
  customModel,
  layersFor,
  type ModelSpec,
  multiPathUnet,
  plainUnet,
  poolingFactors,
  residualEncoderUnet,
  unet,
} from "../../src/models/index.js";
import { MODELS } from "./registry.js";

beforeAll(async () => {
  await startEngine();
});

const count = (variables: readonly { readonly shape: (number | null)[] }[]): number =>
  variables.reduce((sum, v) => sum + v.shape.reduce<number>((n, e) => n * e!, 1), 0);

describe("parameter counts equal the reference's (1 channel, 3 classes)", () => {
  it("standard U-Net, 2D: 7,771,363", () => {
    const model = unet().build({ shape: [1, 16, 16, 1], classes: 3 });
    expect(model.countParams()).toBe(7_771_363);
    model.dispose();
  });
  it("standard U-Net, 3D: 22,587,171, of which 22,581,283 are trained", () => {
    const model = unet().build({ shape: [16, 16, 16, 1], classes: 3 });
    expect(model.countParams()).toBe(22_587_171);
    expect(count(model.trainableWeights)).toBe(22_581_283);
    model.dispose();
  });
  it("plain U-Net, 2D: 10,195,293", () => {
    const model = plainUnet().build({ shape: [1, 32, 32, 1], classes: 3 });
    expect(model.countParams()).toBe(10_195_293);
    model.dispose();
  });
  it("plain U-Net, 3D: 29,686,633", () => {
    const model = plainUnet().build({ shape: [16, 32, 32, 1], classes: 3 });
    expect(model.countParams()).toBe(29_686_633);
    model.dispose();
  });
});

const SMALL: [string, ModelSpec][] = [
  ["U-Net with batch normalization", unet({ filters: 2, depth: 2 })],
  ["U-Net with instance normalization", unet({ filters: 2, depth: 2, normalization: "instance", activation: "leakyRelu" })],
  ["U-Net without normalization", unet({ filters: 2, depth: 2, normalization: "none", activation: "elu" })],
  ["plain U-Net", plainUnet({ filters: [2, 3] })],
];

describe.each(SMALL)("%s", (_, spec) => {
  it.each([
    { shape: [1, 8, 12, 2], logits: [2, 8, 12, 4] },
    { shape: [1, 16, 4, 1], logits: [2, 16, 4, 4] },
    { shape: [4, 8, 12, 2], logits: [2, 4, 8, 12, 4] },
    { shape: [8, 4, 8, 1], logits: [2, 8, 4, 8, 4] },
  ] as const)("gives one logit per class and voxel for a patch of $shape", ({ shape, logits }) => {
    const model = spec.build({ shape, classes: 4 });
    const input = tf.randomNormal([2, ...(shape[0] === 1 ? shape.slice(1) : shape)], 0, 1, "float32", 3);
    const output = model.predict(input) as tf.Tensor;
    expect(output.shape).toEqual(logits);
    expect(output.dataSync().every(Number.isFinite)).toBe(true);
    model.dispose();
  });

  it("has the same initial weights for the same seed and others for another", () => {
    const weights = (seed: number): Float32Array[] => {
      const model = spec.build({ shape: [4, 8, 8, 1], classes: 2, seed });
      const values = model.getWeights().map((w) => w.dataSync().slice() as Float32Array);
      model.dispose();
      return values;
    };
    const first = weights(5);
    expect(weights(5)).toEqual(first);
    expect(weights(6)).not.toEqual(first);
    // Layers draw from seeds of their own: no two kernels of one shape are alike.
    const kernels = first.filter((w) => w.some((v) => v !== 0 && v !== 1)).map((w) => w.slice(0, 4).join());
    expect(new Set(kernels).size).toBe(kernels.length);
  });
});

describe("patch check", () => {
  it("gives both numbers and sizes that fit, before anything is built", () => {
    expect(() => unet().build({ shape: [80, 100, 160, 1], classes: 3 })).toThrow(
      "unet: the patch must be divisible by 16x16x16, got 80x100x160; 80x96x160 or 80x112x160 would fit, or fewer levels (depth)",
    );
    expect(() => unet().build({ shape: [8, 8, 8, 1], classes: 3 })).toThrow("got 8x8x8; 16x16x16 would fit, or fewer levels (depth)");
    expect(() => plainUnet().build({ shape: [8, 32, 32, 1], classes: 3 })).toThrow("plainUnet: the patch must be divisible by 16x32x32, got 8x32x32");
  });
  it("never asks a 2D patch for slices", () => {
    expect(unet().divisor([1, 64, 64])).toEqual([1, 16, 16]);
    expect(plainUnet().divisor([1, 64, 64])).toEqual([1, 32, 32]);
  });
  it("refuses a deep patch for a 2D network", () => {
    expect(() => unet({ dimensions: 2 }).build({ shape: [16, 16, 16, 1], classes: 2 })).toThrow(
      "unet: a 2D network needs patches of depth 1, got 16x16x16",
    );
  });
  it("keeps the few slices of a thin patch with automatic pooling", () => {
    expect(poolingFactors("auto", 4, [12, 64, 64])).toEqual([
      [2, 2, 2],
      [1, 2, 2],
      [1, 2, 2],
      [1, 2, 2],
    ]);
    expect(unet({ pooling: "auto" }).divisor([12, 64, 64])).toEqual([2, 16, 16]);
    const model = unet({ filters: 2, depth: 3, pooling: "auto" }).build({ shape: [5, 32, 32, 1], classes: 2 });
    expect((model.predict(tf.zeros([1, 5, 32, 32, 1])) as tf.Tensor).shape).toEqual([1, 5, 32, 32, 2]);
  });
  it("takes one factor per level", () => {
    const spec = unet({
      filters: 2,
      depth: 2,
      pooling: [
        [1, 2, 2],
        [2, 4, 2],
      ],
    });
    expect(spec.divisor([4, 16, 8])).toEqual([2, 8, 4]);
    const model = spec.build({ shape: [2, 8, 4, 1], classes: 2 });
    expect(model.outputs[0]!.shape).toEqual([null, 2, 8, 4, 2]);
  });
  it.each(MODELS)("$name names the option that was probably meant", ({ name, again }) => {
    expect(() => again({ droput: 0.5 })).toThrow(new RegExp(`^${name}: options must be of .*, got droput; did you mean dropout\\?$`));
    expect(() => again({ normalisation: "batch" })).toThrow("did you mean normalization?");
  });
  it("refuses options outside their rule", () => {
    expect(() => unet({ filters: 0 })).toThrow("unet: filters must be an integer >= 1, got 0");
    expect(() => unet({ depth: 9 })).toThrow("unet: depth must be an integer 1..8, got 9");
    expect(() => unet({ normalization: "layer" as never })).toThrow(
      'unet: normalization must be "batch", "instance", "group" or "none", got "layer"',
    );
    expect(() => unet({ normalization: "group", groups: 0 })).toThrow("unet: groups must be an integer >= 1, got 0");
    expect(() => unet({ dropout: 1 })).toThrow("unet: dropout must be in [0, 1), got 1");
    expect(() => plainUnet({ dropout: -0.1 })).toThrow("plainUnet: dropout must be in [0, 1), got -0.1");
    expect(() => residualEncoderUnet({ filters: [8] })).toThrow("residualEncoderUnet: filters must be 2..9 integers >= 1, got [8]");
    expect(() => residualEncoderUnet({ blocks: [] })).toThrow("residualEncoderUnet: blocks must be integers >= 1, got []");
    expect(() => residualEncoderUnet({ slope: 1 })).toThrow("residualEncoderUnet: slope must be in [0, 1), got 1");
    expect(() => multiPathUnet({ paths: [] })).toThrow(
      "multiPathUnet: paths must be one or more, each with a factor 2..8 and a list of filters >= 1, one per level, got []",
    );
    expect(() =>
      multiPathUnet({
        paths: [
          { factor: 4, filters: [4] },
          { factor: 2, filters: [4] },
        ],
      }),
    ).toThrow("multiPathUnet: paths must be as long as their factor asks for: all must reduce the patch alike, got [4,2]");
    expect(() => unet({ activation: "gelu" as never })).toThrow('unet: activation must be "relu", "leakyRelu" or "elu", got "gelu"');
    expect(() => unet({ depth: 2, pooling: [[2, 2, 2]] })).toThrow("unet: pooling must be 2 triples of integers 1..8, one per level, got [[2,2,2]]");
    expect(() => unet({ pooling: "thin" as never })).toThrow(
      'unet: pooling must be "isotropic", "auto" or one [z, y, x] factor per level, got "thin"',
    );
    expect(() => unet().build({ shape: [16, 16, 16, 0], classes: 2 })).toThrow("unet: channels must be an integer >= 1, got 0");
    expect(() => customModel({ name: "a", build: () => expect.fail("built"), divisr: 2 } as never)).toThrow("did you mean divisor?");
    expect(() => unet().build({ shape: [16, 16, 16, 1], classes: 1 })).toThrow("unet: classes must be an integer >= 2, got 1");
    expect(() => plainUnet({ slope: 1 })).toThrow("plainUnet: slope must be in [0, 1), got 1");
  });
});

describe("batch normalization", () => {
  it("brings each channel of a training batch to mean 0 and variance 1 in 3D", () => {
    const layers = layersFor({ dimensions: 3, shape: [2, 3, 4, 2], seed: 1 });
    const x = layers.input();
    const y = layers.normalize(x, "batch", "norm");
    const model = tfl.model({ inputs: x, outputs: y });
    const values = tf.add(tf.mul(tf.randomNormal([3, 2, 3, 4, 2], 0, 1, "float32", 9), tf.tensor1d([3, 0.5])), tf.tensor1d([-7, 2]));
    const { mean, variance } = tf.moments(model.apply(values, { training: true }) as tf.Tensor, [0, 1, 2, 3]);
    for (const m of mean.dataSync()) expect(Math.abs(m)).toBeLessThan(1e-4);
    for (const v of variance.dataSync()) expect(Math.abs(v - 1)).toBeLessThan(1e-2);
  });
});

describe("normalization of channels", () => {
  it.each([2, 3] as const)("brings the channels of each voxel to mean 0 and variance 1 in %iD", (dimensions) => {
    const layers = layersFor({ dimensions, shape: [2, 3, 4, 8], seed: 1 });
    const x = layers.input();
    const model = tfl.model({ inputs: x, outputs: layers.normalizeChannels(x, "norm") });
    const values = tf.add(tf.mul(tf.randomNormal(dimensions === 2 ? [3, 3, 4, 8] : [3, 2, 3, 4, 8], 0, 1, "float32", 9), 4), 7);
    const { mean, variance } = tf.moments(model.predict(values) as tf.Tensor, [-1]);
    for (const m of mean.dataSync()) expect(Math.abs(m)).toBeLessThan(1e-4);
    for (const v of variance.dataSync()) expect(Math.abs(v - 1)).toBeLessThan(1e-3);
    expect(mean.size).toBe(dimensions === 2 ? 36 : 72);
    model.dispose();
  });
});

describe("group normalization", () => {
  it("takes the greatest common divisor where the groups do not divide the channels", () => {
    const groups = (filters: number): unknown =>
      unet({ filters, depth: 1, normalization: "group", groups: 4 })
        .build({ shape: [1, 4, 4, 1], classes: 2 })
        .getLayer("down0_conv1_norm")
        .getConfig().groups;
    expect([8, 6, 3].map(groups)).toEqual([4, 2, 1]);
  });
});
