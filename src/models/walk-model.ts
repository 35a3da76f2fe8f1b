import type * as tfl from "@tensorflow/tfjs-layers";

/** What one layer makes of its inputs, in the terms of whoever walks. */
export type LayerVisitor<T> = (layer: tfl.layers.Layer, inputs: readonly T[], shapes: LayerShapes) => T;

/** Shapes with the batch in front; open extents are null. */
export interface LayerShapes {
  readonly inputs: readonly (readonly (number | null)[])[];
  readonly output: readonly (number | null)[];
}

/**
 * Goes through a network from its inputs to its outputs, each layer after those that it needs, and each application of a layer once; models inside the model
 * are entered.
 *
 * @example
 * walkModel(model, ["image"], (layer, inputs) => `${layer.name}(${inputs.join(", ")})`) // one text, logits(…) around all others
 */
export function walkModel<T>(model: Pick<tfl.LayersModel, "inputs" | "outputs">, inputs: readonly T[], visit: LayerVisitor<T>): T[] {
  const values = new Map<number, T>();
  for (const [i, tensor] of model.inputs.entries()) values.set(tensor.id, inputs[i]!);
  const find = (tensor: tfl.SymbolicTensor): T => {
    const known = values.get(tensor.id);
    if (known !== undefined) return known;
    const layer = tensor.sourceLayer;
    const node = layer.inboundNodes[tensor.nodeIndex]!;
    const given = node.inputTensors.map(find);
    const shapes = { inputs: node.inputTensors.map(({ shape }) => shape), output: tensor.shape };
    const results = isModel(layer) ? walkModel(layer, given, visit) : [visit(layer, given, shapes)];
    for (const [i, output] of node.outputTensors.entries()) values.set(output.id, results[i]!);
    return values.get(tensor.id)!;
  };
  return model.outputs.map(find);
}

function isModel(layer: tfl.layers.Layer): layer is tfl.LayersModel {
  return "layers" in layer && Array.isArray(layer.layers);
}
