import type { SymbolicTensor } from "@tensorflow/tfjs-layers";
import type { Triple } from "../core/shape.js";
import { defineNetwork } from "./define-network.js";
import type { ModelSpec } from "./model-spec.js";
import { completeUnetOptions, type UnetOptions } from "./unet-options.js";

/**
 * Attention U-Net: the standard U-Net with a gate on each skip, which the coarser level opens voxel by voxel.
 *
 * @shape (batch, D, H, W, C) → (batch, D, H, W, classes), or without D in 2D; D, H, W divisible by `2^depth` with isotropic pooling
 * @throws `ERR_OPTION` for options outside their rule; `ERR_MODEL` when built for a patch that does not fit
 * @source Oktay et al. 2018; gate of MIScnn 1.4 "attention"
 * @example
 * attentionUnet({ filters: 16, depth: 3 }).build({ shape: [32, 64, 64, 1], classes: 3 })
 */
export function attentionUnet(options: UnetOptions = {}): ModelSpec {
  const complete = completeUnetOptions("attentionUnet", options);
  const { filters, depth, normalization, activation, dropout } = complete;
  return defineNetwork({
    ...complete,
    name: "attentionUnet",
    options: { ...complete },
    network({ layers, factors, classes }) {
      const unit = (x: SymbolicTensor, n: number, name: string): SymbolicTensor =>
        layers.dropout(layers.normalize(layers.conv(x, n, 3, name, { activation }), normalization, `${name}_norm`), dropout, `${name}_dropout`);
      const block = (x: SymbolicTensor, n: number, name: string): SymbolicTensor => unit(unit(x, n, `${name}_conv1`), n, `${name}_conv2`);
      /** Weighs the skip's voxels by how well they agree with what the coarser level found. */
      const gate = (x: SymbolicTensor, skip: SymbolicTensor, n: number, factor: Triple, name: string): SymbolicTensor => {
        const signal = layers.normalize(layers.conv(x, n, 1, `${name}_signal`), normalization, `${name}_signal_norm`, { activation });
        const theta = layers.conv(skip, n, 3, `${name}_theta`, { strides: factor }); // the coarser level's extent … n
        const phi = layers.conv(signal, n, 1, `${name}_phi`);
        const joined = layers.activate(layers.add(theta, phi, `${name}_sum`), activation, `${name}_activation`);
        const psi = layers.activate(layers.conv(joined, 1, 1, `${name}_psi`), "sigmoid", `${name}_sigmoid`); // … 1
        const weighed = layers.multiply(skip, layers.repeat(psi, factor, `${name}_repeat`), `${name}_product`); // the skip's extent … skip
        return layers.normalize(layers.conv(weighed, skip.shape.at(-1)!, 1, `${name}_out`), normalization, `${name}_out_norm`);
      };

      const image = layers.input(); // D H W C
      let x = image;
      const skips: SymbolicTensor[] = [];
      for (let level = 0; level < depth; level++) {
        x = block(x, filters * 2 ** level, `down${level}`); // D/2^level … filters * 2^level
        skips.push(x);
        x = layers.maxPool(x, factors[level]!, `pool${level}`);
      }
      x = block(x, filters * 2 ** depth, "bottom"); // D/2^depth … filters * 2^depth
      for (let level = depth - 1; level >= 0; level--) {
        const n = filters * 2 ** level;
        const skip = gate(x, skips[level]!, n, factors[level]!, `gate${level}`); // D/2^level … n
        x = layers.up(x, n, factors[level]!, `up${level}`);
        x = layers.concat([x, skip], `join${level}`); // D/2^level … 2 n
        x = block(x, n, `up${level}`); // D/2^level … n
      }
      const logits = layers.conv(x, classes, 1, "logits"); // D H W classes
      return { image, logits };
    },
  });
}
