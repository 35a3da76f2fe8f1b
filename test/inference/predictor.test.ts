import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, describe, expect, it } from "vitest";
import { axisAligned } from "../../src/core/geometry.js";
import type { Sample } from "../../src/core/sample.js";
import type { Shape4, Triple } from "../../src/core/shape.js";
import { Volume } from "../../src/core/volume.js";
import { modelDivisor } from "../../src/inference/model-divisor.js";
import { predictor } from "../../src/inference/predictor.js";
import { unet } from "../../src/models/unet.js";
import { identityModel } from "./identity-model.js";

function sampleOf(values: ArrayLike<number>, shape: Shape4, history: Sample["history"] = []): Sample {
  return { id: "case", epoch: 0, image: Volume.of("float32", shape, Float32Array.from(values)), history };
}

function identity2d(classes: number, patch: [number | null, number | null]): tfl.LayersModel {
  const input = tfl.input({ shape: [...patch, 1] });
  const layer = tfl.layers.conv2d({ filters: classes, kernelSize: 1 });
  const model = tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
  const c = Array.from({ length: classes }, (_, k) => k);
  layer.setWeights([
    tf.tensor(
      c.map((k) => 2 * k),
      [1, 1, 1, classes],
    ),
    tf.tensor1d(c.map((k) => -k * k)),
  ]);
  return model;
}

beforeAll(async () => {
  await tf.setBackend("cpu");
});

describe("modelDivisor", () => {
  it("is the product of the poolings along the deepest way, as the network's own spec says", () => {
    const patches: [Parameters<typeof unet>[0], Triple][] = [
      [{ filters: 1, depth: 2 }, [8, 8, 8]],
      [{ filters: 1, depth: 3 }, [1, 16, 8]],
      [{ filters: 1, depth: 3, pooling: "auto" }, [8, 32, 32]],
      [
        {
          filters: 1,
          depth: 2,
          pooling: [
            [1, 2, 2],
            [2, 2, 3],
          ],
        },
        [2, 8, 12],
      ],
    ];
    for (const [options, patch] of patches) {
      const spec = unet(options);
      const model = spec.build({ shape: [...patch, 1], classes: 2 });
      expect(modelDivisor(model)).toEqual(spec.divisor(patch));
      model.dispose();
    }
  });

  it("counts strided convolutions and up-sampling layers of custom networks", () => {
    const input = tfl.input({ shape: [null, null, 1] });
    let x = tfl.layers.conv2d({ filters: 1, kernelSize: 3, strides: [2, 3], padding: "same" }).apply(input) as tfl.SymbolicTensor;
    x = tfl.layers.averagePooling2d({ poolSize: [2, 2] }).apply(x) as tfl.SymbolicTensor;
    x = tfl.layers.upSampling2d({ size: [4, 6] }).apply(x) as tfl.SymbolicTensor;
    expect(modelDivisor(tfl.model({ inputs: input, outputs: x }))).toEqual([1, 4, 6]);
  });
});

describe("predictor", () => {
  const values = Array.from({ length: 3 * 5 * 6 }, (_, i) => (i * 7) % 4);

  it("a 2D network predicts a volume slice by slice", async () => {
    const { labels, shape } = await predictor({ model: identity2d(4, [4, 4]) })(sampleOf(values, [3, 5, 6, 1]));
    expect(shape).toEqual([3, 5, 6]);
    expect(Array.from(labels)).toEqual(values);
  });

  it('"full" takes each case in one piece, padded to what the poolings need', async () => {
    const seen: (number | null)[][] = [];
    const input = tfl.input({ shape: [null, null, null, 1] });
    const pooled = tfl.layers.maxPooling3d({ poolSize: [2, 2, 2], strides: [2, 2, 2] }).apply(input) as tfl.SymbolicTensor;
    const back = tfl.layers
      .conv3dTranspose({ filters: 1, kernelSize: 2, strides: 2, kernelInitializer: "zeros" })
      .apply(pooled) as tfl.SymbolicTensor;
    const own = tfl.layers.conv3d({ filters: 4, kernelSize: 1 });
    const out = own.apply(tfl.layers.add().apply([input, back]) as tfl.SymbolicTensor) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs: out });
    own.setWeights([tf.tensor([0, 2, 4, 6], [1, 1, 1, 1, 4]), tf.tensor1d([0, -1, -4, -9])]);
    const apply = model.apply.bind(model);
    model.apply = ((x: tf.Tensor, kwargs: object) => {
      seen.push(x.shape);
      return apply(x, kwargs as never);
    }) as typeof model.apply;
    expect(modelDivisor(model)).toEqual([2, 2, 2]);
    const { labels } = await predictor({ model, patch: "full" })(sampleOf(values, [3, 5, 6, 1]));
    expect(Array.from(labels)).toEqual(values);
    expect(seen).toEqual([[1, 4, 6, 6, 1]]);
  });

  it("probabilities are the softmax of the logits, averaged over patches", async () => {
    const { probabilities } = await predictor({ model: identityModel(2, [1, 1, 2]), keepProbabilities: true })(sampleOf([0, 1, 0], [1, 1, 3, 1]));
    // Logits are (0, 2x - 1).
    const p = (x: number): number => 1 / (1 + Math.exp(1 - 2 * x));
    const expected = [1 - p(0), p(0), 1 - p(1), p(1), 1 - p(0), p(0)];
    expected.forEach((value, i) => {
      expect(probabilities![i]).toBeCloseTo(value, 6);
    });
  });

  it("goes back over padding and resampling in reverse order, labels and probabilities alike", async () => {
    // A case of 2x2x2 was resampled to 4x2x2, then padded to 6x4x2.
    const geometry = axisAligned();
    const history = [
      { operator: "resample", params: { spacing: [0.5, 1, 1], order: 0, labelOrder: 0 }, before: { shape: [2, 2, 2, 1] as const, geometry } },
      { operator: "clip", params: {} },
      {
        operator: "pad",
        params: { minSize: [6, 4, 2], divisor: [1, 1, 1], mode: "constant", value: 0, labelValue: 0 },
        before: { shape: [4, 2, 2, 1] as const, geometry },
      },
    ];
    const own = [0, 1, 2, 3, 3, 2, 1, 0];
    const padded = new Float32Array(6 * 4 * 2);
    for (let z = 0; z < 4; z++)
      for (let y = 0; y < 2; y++) for (let x = 0; x < 2; x++) padded[((z + 1) * 4 + y + 1) * 2 + x] = own[((z >> 1) * 2 + y) * 2 + x]!;
    const { labels, shape, probabilities } = await predictor({ model: identityModel(4, [2, 2, 2]), keepProbabilities: true })(
      sampleOf(padded, [6, 4, 2, 1], history),
    );
    expect(shape).toEqual([2, 2, 2]);
    expect(Array.from(labels)).toEqual(own);
    expect(probabilities).toHaveLength(8 * 4);
    own.forEach((label, i) => {
      const scores = Array.from(probabilities!.subarray(i * 4, i * 4 + 4));
      expect(scores.indexOf(Math.max(...scores))).toBe(label);
    });
  });

  it("refuses what does not fit the model before predicting, and NaN instead of calling it background", async () => {
    const model = identityModel(3, [4, 4, 4]);
    expect(() => predictor({ model, patch: [4, 4, 8] })).toThrow("predictor: patch must be 4x4x4, the size that the model is fixed to, got 4x4x8");
    expect(() => predictor({ model, patch: "full" })).toThrow('the size that the model is fixed to, got "full"');
    const free = identityModel(3, [null, null, null]);
    const input = tfl.input({ shape: [null, null, null, 1] });
    const halved = tfl.layers.conv3d({ filters: 3, kernelSize: 2, strides: 2 }).apply(input) as tfl.SymbolicTensor;
    expect(() => predictor({ model: tfl.model({ inputs: input, outputs: halved }), patch: [4, 6, 7] })).toThrow(
      "predictor: patch must be divisible by 2x2x2, the poolings of the model, got 4x6x7",
    );
    expect(() => predictor({ model: free })).toThrow("patch must be given for a model without a fixed input size");
    await expect(predictor({ model })(sampleOf([0, 0], [1, 1, 1, 2]))).rejects.toThrow(
      "predictor: the image must have the 1 channels of the model, got 2 (sample case)",
    );
    await expect(predictor({ model })(sampleOf([Number.NaN], [1, 1, 1, 1]))).rejects.toMatchObject({ code: "ERR_MODEL" });
  });

  it("leaves no tensors behind", async () => {
    const model = identityModel(3, [2, 2, 2]);
    const run = predictor({ model, flips: [0] });
    await run(
      sampleOf(
        values.map((v) => v % 3),
        [3, 5, 6, 1],
      ),
    );
    const before = tf.memory().numTensors;
    await run(
      sampleOf(
        values.map((v) => v % 3),
        [3, 5, 6, 1],
      ),
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});
