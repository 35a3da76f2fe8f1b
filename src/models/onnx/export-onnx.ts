import type * as tfl from "@tensorflow/tfjs-layers";
import { requireOption, VoxError } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { type LayerShapes, walkModel } from "../walk-model.js";
import { encodeOnnx, type OnnxExtent } from "./encode-onnx.js";
import { type LayerConverter, type LayerWeight, layerConverters } from "./layer-converters.js";
import { OnnxGraph } from "./onnx-graph.js";

export interface ExportOnnxOptions {
  /** Where the file's input and output have their channels; `"channels-first"` is what ONNX' operations work on, and needs no transposition. */
  readonly layout?: "channels-first" | "channels-last";
  /** What comes out; with `"probabilities"` the softmax is in the file. */
  readonly output?: "logits" | "probabilities";
  /** Whether the spatial extents are left open, where the network allows it; the batch always is. */
  readonly openExtents?: boolean;
  /** Written into the file as its metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Written into the file as the producer's version. */
  readonly version?: string;
  /** For layers of your own, by class name; they come before the built-in ones. */
  readonly converters?: Readonly<Record<string, LayerConverter>>;
}

const OPTIONS = ["layout", "output", "openExtents", "metadata", "version", "converters"] as const satisfies readonly (keyof ExportOnnxOptions)[];

/** ONNX 1.12 of 2022; the newest operation that is needed is of opset 13. */
const OPSET = 17;

const EXTENTS = ["depth", "height", "width"] as const;

/**
 * The bytes of an ONNX file (opset 17) that computes what the network predicts: dropout is gone, batch normalization goes by the moving statistics. Inside, all is
 * channels first; transpositions are only at input and output, and only for `"channels-last"`. Of a network that is supervised at several levels the finest
 * is exported.
 *
 * @shape input `image` (batch, C, D, H, W), or without D in 2D → `logits` or `probabilities` (batch, classes, D, H, W)
 * @throws `ERR_MODEL` naming the layer that has no ONNX form; `ERR_OPTION` for options outside their rule
 * @source ONNX operators of opset 17, github.com/onnx/onnx docs/Operators.md
 * @example
 * writeFileSync("model.onnx", exportOnnx(model, { output: "probabilities" }))
 */
export function exportOnnx(model: tfl.LayersModel, options: ExportOnnxOptions = {}): Uint8Array {
  requireKnownOptions("exportOnnx", options, OPTIONS);
  const { layout = "channels-first", output = "logits", openExtents = true, metadata = {}, version = "", converters = {} } = options;
  requireOption(layout === "channels-first" || layout === "channels-last", "exportOnnx", "layout", '"channels-first" or "channels-last"', layout);
  requireOption(output === "logits" || output === "probabilities", "exportOnnx", "output", '"logits" or "probabilities"', output);
  const input = model.inputs[0]!.shape;
  if (model.inputs.length !== 1 || input.length < 3 || input.length > 5 || input.slice(1).includes(null)) {
    const got = model.inputs.map(({ shape }) => `[${shape.map((extent) => extent ?? "open").join(", ")}]`).join(" and ");
    throw new VoxError(`a network must have one input of known extents and channels to be exported, got ${got}`, {
      code: "ERR_MODEL",
      where: "exportOnnx",
    });
  }
  const axes = input.length - 2;
  const graph = new OnnxGraph();
  const known = { ...layerConverters, ...converters };
  let isFixed = !openExtents;
  const isFirst = layout === "channels-first";
  const image = isFirst ? "image" : graph.add("Transpose", "channels_first", ["image"], { perm: [0, axes + 1, ...range(1, axes)] });

  const fixExtents = (): void => {
    isFixed = true;
  };
  const visit = (layer: tfl.layers.Layer, inputs: readonly string[], shapes: LayerShapes): string => {
    const convert = Object.hasOwn(known, layer.getClassName()) ? known[layer.getClassName()] : undefined;
    const config = layer.getConfig();
    if (!convert) throw cannot(layer, `its class ${layer.getClassName()} has no ONNX form; give it one in converters`);
    if (config.dataFormat === "channelsFirst") throw cannot(layer, "its channels are first");
    return convert({ graph, inputs, layer, config, weights: weightsOf(layer), shapes, axes, fixExtents });
  };
  const [logits] = walkModel({ inputs: model.inputs, outputs: model.outputs.slice(0, 1) }, [image], visit);
  const result = output === "logits" ? logits! : graph.add("Softmax", "softmax", [logits!], { axis: 1 });
  graph.rename(isFirst ? result : graph.add("Transpose", "channels_last", [result], { perm: [0, ...range(2, axes), 1] }), output);

  const spatial = (shape: readonly (number | null)[]): OnnxExtent[] =>
    shape.slice(1, -1).map((extent, axis) => (isFixed ? extent! : EXTENTS[axis + 3 - axes]!));
  const extents = (shape: readonly (number | null)[]): OnnxExtent[] =>
    isFirst ? ["batch", shape.at(-1)!, ...spatial(shape)] : ["batch", ...spatial(shape), shape.at(-1)!];
  return encodeOnnx({
    opset: OPSET,
    producerVersion: version,
    graphName: model.name,
    doc: `${isFirst ? "batch, channel, " : "batch, "}${EXTENTS.slice(3 - axes).join(", ")}${isFirst ? "" : ", channel"}`,
    nodes: graph.nodes,
    initializers: graph.initializers,
    inputs: [{ name: "image", extents: extents(input) }],
    outputs: [{ name: output, extents: extents(model.outputs[0]!.shape) }],
    metadata,
  });

  function cannot(layer: tfl.layers.Layer, reason: string): VoxError {
    return new VoxError(`layer ${layer.name} cannot be exported: ${reason}`, { code: "ERR_MODEL", where: "exportOnnx" });
  }
}

function weightsOf(layer: tfl.layers.Layer): Record<string, LayerWeight> {
  return Object.fromEntries(
    layer.weights.map((weight) => {
      const tensor = weight.read();
      return [weight.originalName.split("/").at(-1)!, { shape: tensor.shape, values: tensor.dataSync() as Float32Array }];
    }),
  );
}

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
