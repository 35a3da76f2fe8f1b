import type { SymbolicTensor } from "@tensorflow/tfjs-layers";
import { convolutionUnit } from "./convolution-unit.js";
import { defineNetwork } from "./define-network.js";
import type { ModelSpec } from "./model-spec.js";
import { completeUnetOptions, type UnetOptions } from "./unet-options.js";

/**
 * Standard U-Net: `depth` levels of two 3x3(x3) convolutions, each followed by the activation and then by normalization, max pooling down, transposed
 * convolution up, skips by concatenation, and a 1x1(x1) convolution to one logit per class.
 *
 * @shape (batch, D, H, W, C) → (batch, D, H, W, classes), or without D in 2D; D, H, W divisible by `2^depth` with isotropic pooling
 * @throws `ERR_OPTION` for options outside their rule; `ERR_MODEL` when built for a patch that does not fit
 * @source Ronneberger et al. 2015; Çiçek et al. 2016; layer order of MIScnn 1.4 "standard" (activation before normalization)
 * @example
 * unet({ filters: 16, depth: 3 }).build({ shape: [32, 64, 64, 1], classes: 3 })
 */
export function unet(options: UnetOptions = {}): ModelSpec {
  const complete = completeUnetOptions("unet", options);
  const { filters, depth } = complete;
  return defineNetwork({
    ...complete,
    name: "unet",
    options: { ...complete },
    network({ layers, factors, classes }) {
      const unit = convolutionUnit(layers, complete);
      const block = (x: SymbolicTensor, n: number, name: string): SymbolicTensor => unit(unit(x, n, `${name}_conv1`), n, `${name}_conv2`);

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
