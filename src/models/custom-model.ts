import type * as tfl from "@tensorflow/tfjs-layers";
import { requireOption, VoxError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { formatShape, type Triple } from "../core/shape.js";
import { checkPatch } from "./check-patch.js";
import type { ModelInput, ModelSpec } from "./model-spec.js";
import { requireDimensions } from "./unet-options.js";

export interface CustomModelOptions {
  /** What run folders and bundles call it. */
  readonly name: string;
  /** Makes the network for one patch size; its (first) output must be logits, one channel per class. */
  readonly build: (input: Required<ModelInput>) => tfl.LayersModel;
  /** What each patch extent must be divisible by; 1 on every axis when absent. */
  readonly divisor?: number | Triple;
  /** What your function depends on, so that a run with other values is not resumed by mistake. */
  readonly options?: Json;
  readonly dimensions?: 2 | 3;
}

/**
 * A model from your own function, checked once it is built: one input for the patch, and one logit per class and voxel.
 *
 * @shape (batch, D, H, W, C) → (batch, D, H, W, classes), or without D in 2D
 * @throws `ERR_OPTION` for options outside their rule; `ERR_MODEL` when built for a patch that does not fit, or when the network has other shapes
 * @source own: the network is the user's
 * @example
 * customModel({
 *   name: "two-layers",
 *   build: ({ shape, classes }) => tfl.sequential({ layers: [
 *     tfl.layers.conv3d({ filters: 8, kernelSize: 3, padding: "same", activation: "relu", inputShape: [...shape] }),
 *     tfl.layers.conv3d({ filters: classes, kernelSize: 1 }),
 *   ] }),
 * })
 */
export function customModel({ name, build, divisor = 1, options = {}, dimensions, ...unknown }: CustomModelOptions): ModelSpec {
  requireKnownOptions("customModel", unknown, ["name", "build", "divisor", "options", "dimensions"]);
  requireOption(typeof name === "string" && /^[\w.-]+$/.test(name), "customModel", "name", "letters, digits, '.', '_' and '-'", name);
  requireOption(typeof build === "function", "customModel", "build", "a function ({ shape, classes, seed }) => tf.LayersModel", build);
  const triple: Triple = typeof divisor === "number" ? [divisor, divisor, divisor] : divisor;
  requireOption(
    triple.length === 3 && triple.every((n) => Number.isInteger(n) && n >= 1),
    "customModel",
    "divisor",
    "an integer >= 1, or [z, y, x] of such",
    divisor,
  );
  requireDimensions("customModel", dimensions);
  const spec: ModelSpec = {
    name,
    options,
    dimensions: (patch) => dimensions ?? (patch[0] === 1 ? 2 : 3),
    divisor: (patch) => (patch[0] === 1 ? [1, triple[1], triple[2]] : triple),
    build({ shape, classes, seed = 0 }) {
      const patch: Triple = [shape[0], shape[1], shape[2]];
      checkPatch(spec, patch);
      const model = build({ shape, classes, seed });
      const input = spec.dimensions(patch) === 2 ? shape.slice(1) : [...shape];
      requireShape(name, "input", model.inputs.length === 1 ? model.inputs[0]!.shape : [], input);
      requireShape(name, "output", model.outputs[0]!.shape, [...input.slice(0, -1), classes]);
      return model;
    },
  };
  return spec;
}

/** Open extents are fine. */
function requireShape(where: string, side: "input" | "output", got: readonly (number | null)[], wanted: readonly number[]): void {
  const [, ...rest] = got;
  if (rest.length === wanted.length && rest.every((extent, axis) => extent === null || extent === wanted[axis])) return;
  throw new VoxError(`the network's ${side} must be [batch, ${formatShape(wanted)}], got [${got.map((extent) => extent ?? "batch").join(", ")}]`, {
    code: "ERR_MODEL",
    where,
  });
}
