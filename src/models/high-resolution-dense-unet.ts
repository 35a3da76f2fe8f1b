import type { SymbolicTensor } from "@tensorflow/tfjs-layers";
import { convolutionUnit } from "./convolution-unit.js";
import { defineNetwork } from "./define-network.js";
import type { ModelSpec } from "./model-spec.js";
import { completeUnetOptions, type UnetOptions } from "./unet-options.js";

/**
 * High-resolution Dense-U-Net: blocks as in the Dense-U-Net, but only what the second convolution found goes over the skips, and nothing is normalized by
 * default, so that a patch of full resolution needs less memory. A learning rate of 1e-5 to 1e-4 suits the form without normalization.
 *
 * @shape (batch, D, H, W, C) → (batch, D, H, W, classes), or without D in 2D; D, H, W divisible by `2^depth` with isotropic pooling
 * @throws `ERR_OPTION` for options outside their rule; `ERR_MODEL` when built for a patch that does not fit
 * @source Kolařík et al. 2019, Optimized High Resolution 3D Dense-U-Net Network, figure 2 and the published layers; named by MIScnn's paper
 * @example
 * highResolutionDenseUnet({ filters: 16, depth: 3 }).build({ shape: [16, 256, 256, 1], classes: 3 })
 */
export function highResolutionDenseUnet(options: UnetOptions = {}): ModelSpec {
  const complete = completeUnetOptions("highResolutionDenseUnet", { normalization: "none", ...options });
  const { filters, depth } = complete;
  return defineNetwork({
    ...complete,
    name: "highResolutionDenseUnet",
    options: { ...complete },
    network({ layers, factors, classes }) {
      const unit = convolutionUnit(layers, complete);
      const block = (x: SymbolicTensor, n: number, name: string): { readonly found: SymbolicTensor; readonly all: SymbolicTensor } => {
        const first = layers.concat([x, unit(x, n, `${name}_conv1`)], `${name}_dense1`);
        const found = unit(first, n, `${name}_conv2`);
        return { found, all: layers.concat([x, found], `${name}_dense2`) };
      };

      const image = layers.input(); // D H W C
      let x = image;
      const skips: SymbolicTensor[] = [];
      for (let level = 0; level < depth; level++) {
        const { found, all } = block(x, filters * 2 ** level, `down${level}`); // D/2^level … channels in + filters * 2^level
        skips.push(found);
        x = layers.maxPool(all, factors[level]!, `pool${level}`);
      }
      x = block(x, filters * 2 ** depth, "bottom").all; // D/2^depth … channels in + filters * 2^depth
      for (let level = depth - 1; level >= 0; level--) {
        const n = filters * 2 ** level;
        x = layers.up(x, n, factors[level]!, `up${level}`);
        x = layers.concat([x, skips[level]!], `join${level}`); // D/2^level … 2 n
        x = block(x, n, `up${level}`).all; // D/2^level … 3 n
      }
      const logits = layers.conv(x, classes, 1, "logits"); // D H W classes
      return { image, logits };
    },
  });
}
