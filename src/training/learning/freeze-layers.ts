import type * as tfl from "@tensorflow/tfjs-layers";
import { VoxError } from "../../core/errors.js";
import { nearestName } from "../../core/nearest-name.js";

/**
 * Keeps layers as they are while the others learn: their weights get no gradients, and normalizations among them use their moving statistics. A `*` stands for
 * any characters, such as `down*`.
 *
 * @returns the names of the layers
 * @throws `ERR_CONFIG` when a name fits no layer, or nothing is left to train
 * @example
 * freezeLayers(model, ["down*", "bottom*"]);
 */
export function freezeLayers(model: tfl.LayersModel, names: readonly string[]): readonly string[] {
  const layers = model.layers.filter(({ weights }) => weights.length > 0);
  const known = layers.map(({ name }) => name);
  const frozen = new Set<string>();
  for (const name of names) {
    const pattern = new RegExp(
      `^${name
        .split("*")
        .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
        .join(".*")}$`,
    );
    const found = known.filter((layer) => pattern.test(layer));
    if (found.length === 0) {
      const nearest = nearestName(name.replaceAll("*", ""), known);
      throw new VoxError(
        `init.freeze must name layers with weights, got '${name}'${nearest ? `; did you mean '${nearest}'?` : `; known: ${known.slice(0, 12).join(", ")}${known.length > 12 ? ", …" : ""}`}`,
        { code: "ERR_CONFIG", where: "config" },
      );
    }
    for (const layer of found) frozen.add(layer);
  }
  for (const layer of layers) if (frozen.has(layer.name)) layer.trainable = false;
  if (model.trainableWeights.length === 0) {
    throw new VoxError("init.freeze must leave at least one layer to train, got all of them", { code: "ERR_CONFIG", where: "config" });
  }
  return [...frozen];
}
