import type { SymbolicTensor } from "@tensorflow/tfjs-layers";
import { convolutionUnit } from "./convolution-unit.js";
import { defineNetwork } from "./define-network.js";
import type { ModelSpec } from "./model-spec.js";
import { completeUnetOptions, type UnetOptions } from "./unet-options.js";

/**
 * Residual U-Net: each block of the standard U-Net adds a 1x1(x1) convolution of its input to its output.
 *
 * @shape (batch, D, H, W, C) → (batch, D, H, W, classes), or without D in 2D; D, H, W divisible by `2^depth` with isotropic pooling
 * @throws `ERR_OPTION` for options outside their rule; `ERR_MODEL` when built for a patch that does not fit
 * @source He et al. 2016 for the shortcut; MIScnn 1.4 "residual" (shortcut with activation, without normalization)
 * @example
 * residualUnet({ filters: 16, depth: 3 }).build({ shape: [32, 64, 64, 1], classes: 3 })
 */
export function residualUnet(options: UnetOptions = {}): ModelSpec {
  const complete = completeUnetOptions("residualUnet", options);
  const { filters, depth, activation } = complete;
  return defineNetwork({
    ...complete,
    name: "residualUnet",
    options: { ...complete },
    network({ layers, factors, classes }) {
      const unit = convolutionUnit(layers, complete);
      const block = (x: SymbolicTensor, n: number, name: string): SymbolicTensor => {
        const shortcut = layers.conv(x, n, 1, `${name}_shortcut`, { activation });
        return layers.add(unit(unit(x, n, `${name}_conv1`), n, `${name}_conv2`), shortcut, `${name}_add`);
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
        x = layers.up(x, n, factors[level]!, `up${level}`);
        x = layers.concat([x, skips[level]!], `join${level}`); // D/2^level … 2 n
        x = block(x, n, `up${level}`); // D/2^level … n
      }
      const logits = layers.conv(x, classes, 1, "logits"); // D H W classes
      return { image, logits };
    },
  });
}
