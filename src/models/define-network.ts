import * as tfl from "@tensorflow/tfjs-layers";
import { requireOption } from "../core/errors.js";
import type { Json } from "../core/json.js";
import type { Shape4, Triple } from "../core/shape.js";
import { checkPatch } from "./check-patch.js";
import { type Layers, layersFor } from "./layers-for.js";
import type { ModelSpec } from "./model-spec.js";
import { type Pooling, poolingDivisor, poolingFactors } from "./pooling-factors.js";

export interface NetworkInput {
  readonly layers: Layers;
  /** Pooling factor of each level, the finest first. */
  readonly factors: readonly Triple[];
  /** One patch: `[depth, height, width, channels]`. */
  readonly shape: Shape4;
  readonly classes: number;
}

export interface NetworkDefinition {
  readonly name: string;
  /** What rebuilds the network; undefined values are left out. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly dimensions: 2 | 3 | undefined;
  readonly groups?: number;
  /** How often and by what the network pools. */
  readonly depth: number;
  readonly pooling: Pooling;
  /** From the image to the logits; several when coarser levels are supervised too, the finest first. */
  network(input: NetworkInput): { readonly image: tfl.SymbolicTensor; readonly logits: tfl.SymbolicTensor | tfl.SymbolicTensor[] };
}

/** Makes a model of a network that pools level by level: it knows its divisor and checks patch and classes before it is built. */
export function defineNetwork({ name, options, dimensions, groups, depth, pooling, network }: NetworkDefinition): ModelSpec {
  const spec: ModelSpec = {
    name,
    // Options are numbers, strings and triples of numbers.
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Json,
    dimensions: (patch) => dimensions ?? (patch[0] === 1 ? 2 : 3),
    divisor: (patch) => poolingDivisor(poolingFactors(pooling, depth, patch)),
    build({ shape, classes, seed = 0 }) {
      const patch: Triple = [shape[0], shape[1], shape[2]];
      checkPatch(spec, patch);
      requireOption(Number.isInteger(classes) && classes >= 2, name, "classes", "an integer >= 2", classes);
      requireOption(Number.isInteger(shape[3]) && shape[3] >= 1, name, "channels", "an integer >= 1", shape[3]);
      const layers = layersFor({ dimensions: spec.dimensions(patch), shape, seed, ...(groups !== undefined && { groups }) });
      const { image, logits } = network({ layers, factors: poolingFactors(pooling, depth, patch), shape, classes });
      return tfl.model({ inputs: image, outputs: logits, name });
    },
  };
  return spec;
}
