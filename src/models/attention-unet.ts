import type { SymbolicTensor } from "@tensorflow/tfjs-layers";
import { attentionGate } from "./attention-gate.js";
import { convolutionUnit } from "./convolution-unit.js";
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
  const { filters, depth } = complete;
  return defineNetwork({
    ...complete,
    name: "attentionUnet",
    options: { ...complete },
    network({ layers, factors, classes }) {
      const unit = convolutionUnit(layers, complete);
      const block = (x: SymbolicTensor, n: number, name: string): SymbolicTensor => unit(unit(x, n, `${name}_conv1`), n, `${name}_conv2`);
      const gate = attentionGate(layers, complete);

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
