import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";
import { convolution, startEngine, upSampling3d } from "../../../src/engine/index.js";
import { type ExportOnnxOptions, exportOnnx, multiResUnet, plainUnet, residualEncoderUnet, unet } from "../../../src/models/index.js";
import { difference, learn, logitsOf, noise } from "../learned-model.js";
import { MODELS } from "../registry.js";

beforeAll(async () => {
  await startEngine({ threads: 1 });
});

const toFirst = (x: tf.Tensor): tf.Tensor => tf.transpose(x, [0, x.rank - 1, ...Array.from({ length: x.rank - 2 }, (_, i) => i + 1)]);
const toLast = (x: tf.Tensor): tf.Tensor => tf.transpose(x, [0, ...Array.from({ length: x.rank - 2 }, (_, i) => i + 2), 1]);

async function run(bytes: Uint8Array, image: tf.Tensor): Promise<{ name: string; value: tf.Tensor }> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const result = await session.run({ image: new Tensor("float32", image.dataSync().slice() as Float32Array, image.shape) });
  const [name] = session.outputNames;
  const { data, dims } = result[name!]!;
  return { name: name!, value: tf.tensor(data as Float32Array, [...dims]) };
}

const EXTENTS = {
  "2D": [
    [1, 8, 12, 2],
    [1, 16, 4, 2],
  ],
  "3D": [
    [4, 8, 12, 2],
    [8, 4, 8, 2],
  ],
} as const;
const flatten = (shape: readonly number[]): readonly number[] => (shape[0] === 1 ? shape.slice(1) : shape);

const everyNetwork = MODELS.flatMap(({ name, small }) =>
  (["2D", "3D"] as const).flatMap((kind) =>
    (["batch", "instance", "group", "none"] as const).map((normalization) => ({ name, kind, normalization, small })),
  ),
);

describe("onnxruntime gives the network's logits", () => {
  it.each(everyNetwork)("$name in $kind with $normalization normalization, also for other extents", async ({ kind, normalization, small }) => {
    const [shape, other] = EXTENTS[kind];
    const spec = small({ normalization, groups: 2, dropout: 0.2 });
    const model = learn(spec.build({ shape, classes: 3, seed: 1 }), 3);
    const bytes = exportOnnx(model);
    const image = noise([2, ...flatten(shape)]);
    expect(difference(logitsOf(model, image), toLast((await run(bytes, toFirst(image))).value))).toBeLessThan(1e-4);

    const again = spec.build({ shape: other, classes: 3, seed: 1 });
    again.setWeights(model.getWeights());
    const others = noise([1, ...flatten(other)], 2);
    expect(difference(logitsOf(again, others), toLast((await run(bytes, toFirst(others))).value))).toBeLessThan(1e-4);
    again.dispose();
    model.dispose();
  });
});
