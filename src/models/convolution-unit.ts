// Internal: part of the networks, not of the library.
import type { SymbolicTensor } from "@tensorflow/tfjs-layers";
import type { Layers } from "./layers-for.js";
import type { CompleteUnetOptions } from "./unet-options.js";

export type ConvolutionUnit = (x: SymbolicTensor, filters: number, name: string) => SymbolicTensor;

/** The unit of MIScnn's U-Nets: a 3x3(x3) convolution with its activation, then normalization, then dropout. */
export function convolutionUnit(
  layers: Layers,
  { activation, normalization, dropout }: Pick<CompleteUnetOptions, "activation" | "normalization" | "dropout">,
): ConvolutionUnit {
  return (x, filters, name) =>
    layers.dropout(layers.normalize(layers.conv(x, filters, 3, name, { activation }), normalization, `${name}_norm`), dropout, `${name}_dropout`);
}
