import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { InferenceSession, Tensor } from "onnxruntime-node";
import protobuf from "protobufjs/light.js";
import { beforeAll, describe, expect, it } from "vitest";
import { convolution, startEngine, transposedConvolution, upSampling3d } from "../../../src/engine/index.js";
import {
  type ExportOnnxOptions,
  exportOnnx,
  extentDivisor,
  type LayerConverter,
  type ModelSpec,
  multiResUnet,
  plainUnet,
  residualEncoderUnet,
  unet,
} from "../../../src/models/index.js";
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

describe("what is in the file", () => {
  const model = (options = {}) => learn(unet({ filters: 2, depth: 1, ...options }).build({ shape: [4, 8, 8, 1], classes: 3, seed: 1 }), 3);

  it("its input and output are open in batch and extents, and named", async () => {
    const session = await InferenceSession.create(exportOnnx(model()));
    expect(session.inputMetadata).toMatchObject([{ name: "image", type: "float32", shape: ["batch", 1, "depth", "height", "width"] }]);
    expect(session.outputMetadata).toMatchObject([{ name: "logits", shape: ["batch", 3, "depth", "height", "width"] }]);
    const closed = await InferenceSession.create(exportOnnx(model(), { openExtents: false }));
    expect(closed.inputMetadata).toMatchObject([{ shape: ["batch", 1, 4, 8, 8] }]);
    const flat = unet({ filters: 2, depth: 1 }).build({ shape: [1, 8, 8, 1], classes: 3 });
    expect((await InferenceSession.create(exportOnnx(flat))).inputMetadata).toMatchObject([{ shape: ["batch", 1, "height", "width"] }]);
  });

  it("is opset 17, with the metadata and without any transposition", () => {
    const file = decode(exportOnnx(model(), { metadata: { classes: '["a","b","c"]' }, version: "1.2.3" }));
    expect(file).toMatchObject({ irVersion: 8, producerName: "voxstream", producerVersion: "1.2.3" });
    expect(file.opsetImport).toMatchObject([{ version: 17 }]);
    expect(file.metadataProps).toMatchObject([{ key: "classes", value: '["a","b","c"]' }]);
    expect(file.graph.docString).toBe("batch, channel, depth, height, width");
    expect(file.graph.node.map(({ opType }) => opType)).not.toContain("Transpose");
    expect(file.graph.node.map(({ name }) => name)).toEqual([...new Set(file.graph.node.map(({ name }) => name))]);
    // Float weights are there once.
    const weights = model().countParams() * 4;
    expect(exportOnnx(model()).byteLength).toBeLessThan(weights + 8000);
  });

  it("with channels last there is one transposition at each end", async () => {
    const network = model();
    const bytes = exportOnnx(network, { layout: "channels-last" });
    expect(decode(bytes).graph.node.filter(({ opType }) => opType === "Transpose")).toHaveLength(2);
    const image = noise([2, 4, 8, 8, 1]);
    const { name, value } = await run(bytes, image);
    expect(name).toBe("logits");
    expect(difference(logitsOf(network, image), value)).toBeLessThan(1e-4);
  });

  it.each(["channels-first", "channels-last"] as const)("probabilities are the softmax of the logits, %s", async (layout) => {
    const network = model();
    const image = noise([1, 4, 8, 8, 1]);
    const { name, value } = await run(exportOnnx(network, { output: "probabilities", layout }), layout === "channels-last" ? image : toFirst(image));
    expect(name).toBe("probabilities");
    expect(difference(tf.softmax(logitsOf(network, image)), layout === "channels-last" ? value : toLast(value))).toBeLessThan(1e-4);
  });

  it("of a network that is supervised at several levels the finest is exported, and nothing that leads to others", async () => {
    const spec = residualEncoderUnet({ filters: [2, 3, 4], blocks: [1], pooling: "isotropic", deepSupervision: true });
    const network = learn(spec.build({ shape: [4, 8, 8, 1], classes: 3 }), 2);
    const bytes = exportOnnx(network);
    const image = noise([1, 4, 8, 8, 1]);
    expect(difference(logitsOf(network, image), toLast((await run(bytes, toFirst(image))).value))).toBeLessThan(1e-4);
    expect(decode(bytes).graph.node.filter(({ name }) => name.startsWith("logits"))).toHaveLength(1);
  });

  it.each([
    ["leaky ReLU", unet({ filters: 2, depth: 2, activation: "leakyRelu" }), [4, 8, 8, 1]],
    ["ELU", unet({ filters: 2, depth: 2, activation: "elu" }), [4, 8, 8, 1]],
    [
      "thin patches",
      unet({
        filters: 2,
        depth: 2,
        pooling: [
          [1, 2, 2],
          [1, 4, 2],
        ],
      }),
      [3, 8, 4, 2],
    ],
    ["the plain U-Net's own pooling", plainUnet({ filters: [2, 3] }), [2, 8, 8, 1]],
    ["32 filters and four levels", multiResUnet(), [1, 32, 16, 1]],
  ] as const)("%s", async (_, spec, shape) => {
    const network = learn(spec.build({ shape, classes: 4 }), 4);
    const image = noise([1, ...flatten(shape)]);
    expect(difference(logitsOf(network, image), toLast((await run(exportOnnx(network), toFirst(image))).value))).toBeLessThan(1e-4);
    network.dispose();
  });
});

describe("models of one's own", () => {
  type Symbolic = tfl.SymbolicTensor;
  const input = (shape = [9, 7, 2]) => tfl.input({ shape });
  const same = async (model: tfl.LayersModel, options: ExportOnnxOptions = {}): Promise<void> => {
    const image = noise([2, ...(model.inputs[0]!.shape.slice(1) as number[])]);
    const { value } = await run(exportOnnx(learn(model, 6), options), toFirst(image));
    expect(difference(logitsOf(model, image), toLast(value))).toBeLessThan(1e-4);
  };

  it("of stock layers", async () => {
    const x = input();
    const conv = tfl.layers.conv2d({ filters: 4, kernelSize: [3, 2], padding: "same", dilationRate: 2, activation: "tanh" }).apply(x) as Symbolic;
    const valid = tfl.layers.conv2d({ filters: 4, kernelSize: 3, padding: "valid", useBias: false }).apply(conv) as Symbolic;
    const wide = tfl.layers.conv2dTranspose({ filters: 4, kernelSize: 3, padding: "valid" }).apply(valid) as Symbolic;
    const joined = tfl.layers.concatenate().apply([conv, wide]) as Symbolic;
    const normal = tfl.layers.batchNormalization().apply(joined) as Symbolic;
    const layer = tfl.layers.layerNormalization({ axis: -1 }).apply(normal) as Symbolic;
    const both = [normal, tfl.layers.reLU({ maxValue: 1 }).apply(layer) as Symbolic];
    const most = tfl.layers.maximum().apply(both) as Symbolic;
    const mean = tfl.layers.average().apply([most, tfl.layers.elu().apply(most) as Symbolic]) as Symbolic;
    const least = tfl.layers.minimum().apply([mean, tfl.layers.leakyReLU({ alpha: 0.2 }).apply(layer) as Symbolic]) as Symbolic;
    const activations = ["sigmoid", "softplus", "softsign", "selu", "hardSigmoid", "relu6", "swish", "softmax", "linear"] as const;
    const y = activations.reduce((at, activation) => tfl.layers.activation({ activation }).apply(at) as Symbolic, least);
    await same(tfl.model({ inputs: x, outputs: tfl.layers.softmax({ axis: -1 }).apply(y) as Symbolic }));
  });
  it("of strides, pooling with padding and enlargement at odd extents, which the file then fixes", async () => {
    const x = input();
    const strided = tfl.layers.conv2d({ filters: 3, kernelSize: 3, strides: 2, padding: "same" }).apply(x) as Symbolic;
    const most = tfl.layers.maxPooling2d({ poolSize: 2, strides: 2, padding: "same" }).apply(strided) as Symbolic;
    const mean = tfl.layers.averagePooling2d({ poolSize: 3, strides: 1, padding: "same" }).apply(most) as Symbolic;
    const large = tfl.layers.upSampling2d({ size: [2, 3] }).apply(mean) as Symbolic;
    const model = tfl.model({ inputs: x, outputs: large });
    await same(model);
    expect((await InferenceSession.create(exportOnnx(model))).inputMetadata).toMatchObject([{ shape: ["batch", 2, 9, 7] }]);
  });
  it("of the engine's layers with dilation, strides and linear enlargement, in 2D and 3D", async () => {
    for (const shape of [
      [8, 6, 2],
      [4, 8, 6, 2],
    ]) {
      const x = input(shape);
      const wide = convolution({ filters: 3, kernelSize: 3, dilationRate: 2, activation: "leakyRelu", alpha: 0.3 }).apply(x) as Symbolic;
      const small = convolution({ filters: 3, kernelSize: 2, strides: 2 }).apply(wide) as Symbolic;
      await same(tfl.model({ inputs: x, outputs: upSampling3d({ size: 2, interpolation: "linear" }).apply(small) as Symbolic }));
      const up = transposedConvolution({ filters: 2, kernelSize: 3, strides: 2, activation: "relu" }).apply(small) as Symbolic;
      const gap = transposedConvolution({ filters: 2, kernelSize: 1, strides: 2, useBias: false }).apply(small) as Symbolic;
      await same(tfl.model({ inputs: x, outputs: tfl.layers.add().apply([up, gap]) as Symbolic }));
      // A stride beyond the kernel leaves voxels out.
      await same(
        tfl.model({
          inputs: x,
          outputs: convolution({ filters: 2, kernelSize: 1, strides: [1, 2, 3].slice(-(shape.length - 1)) }).apply(x) as Symbolic,
        }),
      );
    }
  });
  it("with models inside, and layers that are used twice", async () => {
    const x = input([8, 8, 2]);
    const inner = tfl.sequential({
      layers: [tfl.layers.conv2d({ filters: 2, kernelSize: 3, padding: "same", inputShape: [8, 8, 2] }), tfl.layers.reLU()],
    });
    await same(tfl.model({ inputs: x, outputs: inner.apply(inner.apply(x)) as Symbolic }));
    await same(inner);
  });

  class Doubled extends tfl.layers.Layer {
    static className = "Doubled";
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return tf.mul(Array.isArray(inputs) ? inputs[0]! : inputs, 2);
    }
  }
  const doubled = () => {
    const x = input();
    return tfl.model({ inputs: x, outputs: new Doubled({ name: "twice_as_much" }).apply(x) as Symbolic });
  };
  it("a layer without an ONNX form is named, and may be given one", async () => {
    expect(() => exportOnnx(doubled())).toThrow(
      "exportOnnx: layer twice_as_much cannot be exported: its class Doubled has no ONNX form; give it one in converters",
    );
    const Double: LayerConverter = ({ graph, layer, inputs }) =>
      graph.add("Mul", layer.name, [inputs[0]!, graph.floats(`${layer.name}_two`, [], [2])]);
    await same(doubled(), { converters: { Doubled: Double } });
  });
  it("what cannot be exported is refused with the reason", () => {
    const x = input();
    const model = (layer: tfl.layers.Layer) => tfl.model({ inputs: x, outputs: layer.apply(x) as Symbolic });
    expect(() => exportOnnx(model(tfl.layers.conv2d({ filters: 2, kernelSize: 3, dataFormat: "channelsFirst", name: "first" })))).toThrow(
      "exportOnnx: layer first cannot be exported: its channels are first",
    );
    expect(() => exportOnnx(model(tfl.layers.softmax({ axis: 1, name: "rows" })))).toThrow(
      "exportOnnx: layer rows must work on the last axis, the channels, to be exported, got axis 1",
    );
    expect(() => exportOnnx(model(tfl.layers.activation({ activation: "mish", name: "odd" })))).toThrow(
      "exportOnnx: activation mish of layer odd must have an ONNX form, got none",
    );
    const open = tfl.input({ shape: [null, null, 2] });
    expect(() => exportOnnx(tfl.model({ inputs: open, outputs: tfl.layers.reLU().apply(open) as Symbolic }))).toThrow(
      "exportOnnx: a network must have one input of known extents and channels to be exported, got [open, open, open, 2]",
    );
    expect(() => exportOnnx(model(tfl.layers.reLU()), { layout: "nchw" as never })).toThrow(
      'exportOnnx: layout must be "channels-first" or "channels-last", got "nchw"',
    );
    expect(() => exportOnnx(model(tfl.layers.reLU()), { output: "labels" as never })).toThrow(
      'exportOnnx: output must be "logits" or "probabilities", got "labels"',
    );
    expect(() => exportOnnx(model(tfl.layers.reLU()), { metdata: {} } as never)).toThrow("did you mean metadata?");
  });
});

describe("extentDivisor", () => {
  it("is what the networks ask of a patch", () => {
    const of = (spec: ModelSpec, shape: readonly [number, number, number, number]) => extentDivisor(spec.build({ shape, classes: 2 }));
    expect(of(unet({ filters: 2, depth: 3 }), [8, 16, 24, 1])).toEqual([8, 8, 8]);
    expect(of(unet({ filters: 2, depth: 2 }), [1, 8, 8, 1])).toEqual([4, 4]);
    expect(of(plainUnet({ filters: [2, 3, 4] }), [4, 8, 8, 1])).toEqual([4, 8, 8]);
  });
});

/** The file's own reading of itself, by field numbers. */
function decode(bytes: Uint8Array) {
  const list = (type: string, id: number) => ({ rule: "repeated", type, id });
  const root = protobuf.Root.fromJSON({
    nested: {
      Model: {
        fields: {
          irVersion: { type: "int32", id: 1 },
          producerName: { type: "string", id: 2 },
          producerVersion: { type: "string", id: 3 },
          graph: { type: "Graph", id: 7 },
          opsetImport: list("Opset", 8),
          metadataProps: list("Entry", 14),
        },
      },
      Opset: { fields: { version: { type: "int32", id: 2 } } },
      Entry: { fields: { key: { type: "string", id: 1 }, value: { type: "string", id: 2 } } },
      Graph: { fields: { node: list("Node", 1), docString: { type: "string", id: 10 } } },
      Node: { fields: { name: { type: "string", id: 3 }, opType: { type: "string", id: 4 } } },
    },
  });
  return root.lookupType("Model").toObject(root.lookupType("Model").decode(bytes)) as {
    irVersion: number;
    producerName: string;
    producerVersion: string;
    opsetImport: { version: number }[];
    metadataProps: { key: string; value: string }[];
    graph: { node: { name: string; opType: string }[]; docString: string };
  };
}
