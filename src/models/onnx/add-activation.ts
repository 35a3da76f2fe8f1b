// Internal: part of the ONNX export.
import { VoxError } from "../../core/errors.js";
import type { OnnxGraph } from "./onnx-graph.js";

/** As layers write it down: a name, or a class with its options; `alpha` is the slope of leaky ReLU. */
interface ActivationConfig {
  readonly activation?: string | { readonly className: string; readonly config?: { readonly alpha?: number } } | null;
  readonly alpha?: number;
}

const SIMPLE: Readonly<Record<string, string>> = {
  relu: "Relu",
  sigmoid: "Sigmoid",
  tanh: "Tanh",
  softplus: "Softplus",
  softsign: "Softsign",
  selu: "Selu",
};

/** Adds the activation that a layer ends with, if it has one. */
export function addActivation(graph: OnnxGraph, name: string, x: string, { activation, alpha = 0.01 }: ActivationConfig): string {
  const kind = (typeof activation === "string" ? activation : activation?.className) ?? "linear";
  const key = kind.charAt(0).toLowerCase() + kind.slice(1);
  if (key === "linear") return x;
  const node = `${name}_${key}`;
  if (SIMPLE[key]) return graph.add(SIMPLE[key], node, [x]);
  if (key === "leakyRelu") return graph.add("LeakyRelu", node, [x], { alpha: { float: alpha } });
  if (key === "elu") return graph.add("Elu", node, [x], { alpha: { float: (typeof activation === "object" && activation?.config?.alpha) || 1 } });
  if (key === "softmax") return graph.add("Softmax", node, [x], { axis: 1 });
  if (key === "hardSigmoid") return graph.add("HardSigmoid", node, [x], { alpha: { float: 0.2 }, beta: { float: 0.5 } });
  if (key === "relu6") return graph.add("Clip", node, [x, graph.floats(`${node}_least`, [], [0]), graph.floats(`${node}_most`, [], [6])]);
  if (key === "swish") return graph.add("Mul", node, [x, graph.add("Sigmoid", `${node}_gate`, [x])]);
  throw new VoxError(`activation ${kind} of layer ${name} must have an ONNX form, got none`, { code: "ERR_MODEL", where: "exportOnnx" });
}
