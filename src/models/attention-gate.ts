// Internal: part of the networks, not of the library.
import type { SymbolicTensor } from "@tensorflow/tfjs-layers";
import type { Triple } from "../core/shape.js";
import type { Layers } from "./layers-for.js";
import type { CompleteUnetOptions } from "./unet-options.js";

export type AttentionGate = (x: SymbolicTensor, skip: SymbolicTensor, filters: number, factor: Triple, name: string) => SymbolicTensor;

/**
 * Weighs the skip's voxels by how well they agree with what the coarser level `x` found; `factor` is the pooling between the two.
 *
 * @source Oktay et al. 2018; gate of MIScnn 1.4
 */
export function attentionGate(
  layers: Layers,
  { activation, normalization }: Pick<CompleteUnetOptions, "activation" | "normalization">,
): AttentionGate {
  return (x, skip, n, factor, name) => {
    const signal = layers.normalize(layers.conv(x, n, 1, `${name}_signal`), normalization, `${name}_signal_norm`, { activation });
    const theta = layers.conv(skip, n, 3, `${name}_theta`, { strides: factor }); // the coarser level's extent … n
    const phi = layers.conv(signal, n, 1, `${name}_phi`);
    const joined = layers.activate(layers.add(theta, phi, `${name}_sum`), activation, `${name}_activation`);
    const psi = layers.activate(layers.conv(joined, 1, 1, `${name}_psi`), "sigmoid", `${name}_sigmoid`); // … 1
    const weighed = layers.multiply(skip, layers.repeat(psi, factor, `${name}_repeat`), `${name}_product`); // the skip's extent … skip
    return layers.normalize(layers.conv(weighed, skip.shape.at(-1)!, 1, `${name}_out`), normalization, `${name}_out_norm`);
  };
}
